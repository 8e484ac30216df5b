'use strict';
// The picture, the tables and the switches work without this. It adds what a pointer or a key asks of one point:
// its row of the table, shown beside the picture, and kept there once pinned.
(() => {
  const details = document.querySelector('.details');
  const points = [...document.querySelectorAll('.point')];
  if (!points.length) return;

  const hint = 'Point at a mark, or go to it with Tab and the arrow keys, to see its numbers. Enter or a click pins them; Escape lets go.';
  let pinned = null;

  const element = (name, text) => Object.assign(document.createElement(name), { textContent: text });

  const show = row => {
    if (!row) return details.replaceChildren(element('p', hint));
    const source = document.getElementById(row);
    const names = [...source.closest('table').tHead.rows[0].cells].map(cell => cell.textContent);
    const family = source.parentElement.querySelector('.family th');
    const title = source.cells[0].textContent.trim() + (family ? ' of ' + family.textContent.trim() : '');
    const list = document.createElement('dl');
    [...source.cells].slice(1).forEach((cell, i) => {
      const entry = document.createElement('div');
      entry.append(element('dt', names[i + 1]), element('dd', cell.textContent));
      list.append(entry);
    });
    details.replaceChildren(element('h3', row === pinned ? title + ' (pinned)' : title), list);
  };

  const pin = row => {
    pinned = row;
    points.forEach(point => {
      point.classList.toggle('pinned', point.dataset.row === row);
      point.setAttribute('aria-pressed', point.dataset.row === row);
    });
    document.querySelectorAll('.variants tr').forEach(line => line.classList.toggle('pinned', line.id === row && row !== null));
    show(row);
  };

  // The visible points from left to right: hidden views and series have no boxes.
  const inOrder = () => points.filter(point => point.getClientRects().length)
    .sort((a, b) => a.getBoundingClientRect().left - b.getBoundingClientRect().left);

  const move = (point, key) => {
    const all = inOrder();
    const at = all.indexOf(point);
    const to = { ArrowRight: at + 1, ArrowUp: at + 1, ArrowLeft: at - 1, ArrowDown: at - 1, Home: 0, End: all.length - 1 }[key];
    if (to === undefined) return false;
    all[Math.max(0, Math.min(all.length - 1, to))].focus();
    return true;
  };

  points.forEach(point => {
    const row = point.dataset.row;
    point.setAttribute('role', 'button');
    point.setAttribute('aria-pressed', 'false');
    point.addEventListener('pointerenter', () => show(row));
    point.addEventListener('pointerleave', () => show(pinned));
    point.addEventListener('focus', () => show(row));
    point.addEventListener('blur', () => show(pinned));
    point.addEventListener('click', () => pin(pinned === row ? null : row));
    point.addEventListener('keydown', event => {
      if (event.key === 'Enter' || event.key === ' ') pin(pinned === row ? null : row);
      else if (event.key === 'Escape') pin(null);
      else if (!move(point, event.key)) return;
      event.preventDefault();
    });
  });

  details.hidden = false;
  show(null);
})();
