using System.Globalization;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter.Report;

/// <summary>The ranks of a family as a heat map that is a table: a row a layer, a column a variant, darker where more of the layer is kept.</summary>
static class RankTable
{
    /// <summary>One table for each family, however many devices measured it.</summary>
    public static Markup Of(SweepReport report) => Markup.Lines(report.Series.DistinctBy(series => series.Path).Select(Of));

    static Markup Of(SweepSeries series)
    {
        var manifest = series.Manifest;
        if (manifest.Layers.Count == 0)
        {
            return Markup.Of($"<p>{manifest.Name} has no factored layers.</p>");
        }

        var columns = manifest.Variants.Select(variant => Markup.Of($"<th scope=\"col\">{variant.Id}</th>"));
        return Markup.Of($"""
            <div class="scroll" role="region" tabindex="0" aria-label="Ranks of {manifest.Name}">
            <table class="ranks">
            <caption>{manifest.Name}</caption>
            <thead><tr><th scope="col">layer</th><th scope="col">out × in</th><th scope="col">full rank</th>{Markup.Lines(columns)}</tr></thead>
            <tbody>{Markup.Lines(manifest.Layers.Select(layer => Row(layer, manifest)))}</tbody>
            </table>
            </div>
            """);
    }

    static Markup Row(FactoredLayer layer, FamilyManifest manifest) => Markup.Of($"""
        <tr><th scope="row">{layer.Name}</th><td>{layer.Out} × {layer.In}</td><td>{FullRank(layer)}</td>{Markup.Lines(manifest.Variants.Select(variant => Cell(layer, variant)))}</tr>
        """);

    static Markup Cell(FactoredLayer layer, Variant variant)
    {
        if (variant.Plan is null || !variant.Plan.Layers.TryGetValue(layer.Name, out var rank) || rank.Components is not { } components)
        {
            return Markup.Trusted("<td class=\"kept-dense\">dense</td>");
        }

        var share = Math.Min(1, (double)components / FullRank(layer));
        var percent = (100 * share).ToString("0.#", CultureInfo.InvariantCulture);
        return Markup.Of($"""
            <td class="heat" style="--share:{percent}%" title="{percent} % of the full rank">{components} <small>{percent} %</small></td>
            """);
    }

    static int FullRank(FactoredLayer layer) => Math.Min(layer.Out, layer.In);
}
