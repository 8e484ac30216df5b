using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime.Elastic;

/// <summary>Keeps the active variant of a family loaded for speed, and its neighbours ready on mapped weights.</summary>
/// <remarks>
/// Prepacking copies a variant's weights into the layout that runs fastest, which takes memory and load time; a standby goes
/// without, shares the family's mapped weights, and loads in milliseconds. A switch takes the standby at once; a thread behind
/// it, of low priority where the system knows such, then loads its neighbours, prepacks it, and unloads what is no longer near.
/// Where prepacked weights are kept in files (<see cref="PackedGraphs"/>), all are loaded from there, and a switch has nothing left to prepack.
/// </remarks>
sealed class Residency : IDisposable
{
    // A load keeps all cores busy; the first run after a switch goes before it, if it comes soon.
    static readonly TimeSpan Courtesy = TimeSpan.FromMilliseconds(50);

    readonly Family _family;
    readonly IReadOnlyList<Variant> _variants; // by rung
    readonly ElasticOptions _options;
    readonly PackedGraphs? _files;
    readonly bool _promotes; // the active one is prepacked in memory
    readonly Lock _gate = new(); // held while a field below changes; the worker loads and unloads outside it
    readonly ResidentVariant?[] _standbys; // by rung, not prepacked
    readonly AutoResetEvent _moved = new(false);
    readonly Thread _worker;
    ResidentVariant? _packed;
    ResidentVariant? _active; // the packed one or a standby
    int _target;
    int _moves;
    volatile bool _settling;
    volatile bool _stopping;

    public Residency(Family family, IReadOnlyList<Variant> variants, int start, ElasticOptions options)
    {
        (_family, _variants, _options, _target) = (family, variants, options, start);
        _standbys = new ResidentVariant?[variants.Count];
        _files = options.PackedFolder is { } folder ? new PackedGraphs(folder, family) : null;
        _promotes = options.Settings.Prepack && _files is null;
        try
        {
            _active = _promotes ? _packed = Load(start, prepack: true) : _standbys[start] = Load(start, prepack: false);
            for (var rung = 0; rung < variants.Count; rung++)
            {
                if (rung != start && IsNear(rung))
                {
                    _standbys[rung] = Load(rung, prepack: false);
                }
            }
        }
        catch
        {
            Unload();
            throw;
        }

        _worker = new Thread(Work) { IsBackground = true, Name = "maestro residency", Priority = ThreadPriority.BelowNormal };
        _worker.Start();
    }

    /// <summary>Whether variants are being loaded or unloaded: what is measured meanwhile says little about the load.</summary>
    public bool Settling => _settling;

    /// <summary>Why the last change could not be made whole; null when it could.</summary>
    public string? Problem { get; private set; }

    /// <summary>The active variant.</summary>
    /// <exception cref="ObjectDisposedException">Everything is unloaded.</exception>
    public ResidentVariant Active => Volatile.Read(ref _active) ?? throw new ObjectDisposedException(nameof(ElasticSession));

    /// <summary>Whether the active variant runs on weights that were prepacked in memory.</summary>
    public bool IsPrepacked => Volatile.Read(ref _packed) is { } packed && packed == Volatile.Read(ref _active);

    /// <summary>The active variant, entered; the caller leaves it after its run.</summary>
    /// <exception cref="ObjectDisposedException">Everything is unloaded.</exception>
    public ResidentVariant Enter()
    {
        while (true)
        {
            var active = Active;
            if (active.TryEnter())
            {
                return active;
            } // it left between the two lines, and another is active
        }
    }

    /// <summary>Makes another variant active: at once when it stands by, after its load otherwise.</summary>
    /// <exception cref="ModelException">It cannot be loaded; the active one stays.</exception>
    public void MoveTo(int rung)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopping, typeof(ElasticSession));
            var next = _packed?.Rung == rung ? _packed : _standbys[rung] ??= LoadNow(rung);
            next.TakeOver();
            (_target, _settling) = (rung, true);
            _moves++;
            Volatile.Write(ref _active, next);
            _moved.Set();
        }
    }

    ResidentVariant LoadNow(int rung)
    {
        try
        {
            return Load(rung, prepack: false);
        }
        catch (RuntimeException e)
        {
            Problem = e.Message; // who asked may not look
            throw;
        }
    }

    /// <summary>Unbinds buffers from everything loaded.</summary>
    public void Forget(int index)
    {
        lock (_gate)
        {
            _packed?.Forget(index);
            Array.ForEach(_standbys, standby => standby?.Forget(index));
        }
    }

    /// <summary>Lets no run in any more, waits for those inside, and unloads everything.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_stopping)
            {
                return;
            }

            _stopping = true;
            Volatile.Write(ref _active, null);
            _moved.Set();
        }

        _worker.Join();
        Unload();
        _moved.Dispose();
    }

    void Unload()
    {
        _packed?.Dispose();
        Array.ForEach(_standbys, standby => standby?.Dispose());
    }

    bool IsNear(int rung) => Math.Abs(rung - _target) <= _options.Standbys;

    ResidentVariant Load(int rung, bool prepack)
    {
        var variant = _variants[rung];
        var session = _files?.Load(variant, _options.Settings) ?? new ModelSession(_family.PathOf(variant), _options.Settings with { Prepack = prepack });
        try
        {
            CheckSignature(_family.Manifest.Inputs, session.Inputs, _family.PathOf(variant));
            CheckSignature(_family.Manifest.Outputs, session.Outputs, _family.PathOf(variant));
            using var warming = new PreparedRun(session, _options.Batch, _options.OpenAxis, seed: 0);
            warming.Run(); // reads the mapped weights in, which is most of what a first run costs
            warming.Run();
            return new ResidentVariant(
                variant, rung, session, (session.InputShapes(_options.Batch, _options.OpenAxis), warming.OutputShapes()));
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    static void CheckSignature(IReadOnlyList<TensorSignature> said, IReadOnlyList<TensorSignature> found, string path)
    {
        if (!said.Select(one => (one.Name, one.Type, one.Shape.Count)).SequenceEqual(found.Select(one => (one.Name, one.Type, one.Shape.Count))))
        {
            throw new ModelException(path, $"It has {string.Join(" and ", found)} where {FamilyManifest.FileName} says {string.Join(" and ", said)}.");
        }
    }

    void Work()
    {
        while (!_stopping)
        {
            _moved.WaitOne();
            Volatile.Read(ref _active)?.AwaitAnswer(Courtesy);
            var moves = Volatile.Read(ref _moves);
            try
            {
                Problem = Settle(Volatile.Read(ref _target));
            }
            catch (Exception e)
            {
                Problem = e.Message; // what is loaded goes on answering; an exception let out of a thread would end the program
            }

            lock (_gate)
            {
                _settling = moves != _moves; // a move during the work is the next round's
            }
        }
    }

    // Standbys first: they take milliseconds, and the next step may come before the packed one is there. One that cannot be loaded keeps
    // nothing else from being done.
    string? Settle(int target)
    {
        string? problem = null;
        for (var rung = 0; rung < _variants.Count && !_stopping; rung++)
        {
            if (rung != target && Math.Abs(rung - target) <= _options.Standbys && Volatile.Read(ref _standbys[rung]) is null)
            {
                try
                {
                    Adopt(Load(rung, prepack: false));
                }
                catch (RuntimeException e)
                {
                    problem ??= e.Message;
                }
            }
        }

        if (_promotes && _packed?.Rung != target && !_stopping)
        {
            Promote(Load(target, prepack: true));
        }

        DropTheFar();
        return problem;
    }

    void Adopt(ResidentVariant standby)
    {
        lock (_gate)
        {
            if (_standbys[standby.Rung] is null)
            {
                _standbys[standby.Rung] = standby;
                return;
            }
        }

        standby.Dispose(); // a move was faster
    }

    void Promote(ResidentVariant packed)
    {
        var leaving = packed;
        lock (_gate)
        {
            if (packed.Rung == _target && !_stopping)
            {
                (leaving, _packed) = (_packed, packed);
                Volatile.Write(ref _active, packed);
            }
        }

        leaving?.Dispose();
    }

    void DropTheFar()
    {
        var leaving = new List<ResidentVariant>();
        lock (_gate)
        {
            foreach (var standby in _standbys)
            {
                if (standby is not null && standby != _active && (!IsNear(standby.Rung) || standby.Rung == _packed?.Rung))
                {
                    _standbys[standby.Rung] = null;
                    leaving.Add(standby);
                }
            }
        }

        leaving.ForEach(standby => standby.Dispose());
    }
}
