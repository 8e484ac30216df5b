using System.Globalization;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Cost;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using Spectre.Console;

namespace MaestroDeploy.Cli.Commands;

/// <summary>What <c>maestro inspect</c> tells of a model: its cost, what of it can be factored, what that could save, and why the rest stays.</summary>
static class ModelInspection
{
    // A saving of less than this share of the parameters is not worth a family of variants.
    const double LittleToGain = 0.05;

    /// <summary>A model, as <c>--json</c> gives it.</summary>
    /// <remarks>
    /// FactorableShare is the share of all parameters that the weights of Layers hold; EnergySaving the share that would be saved if each of
    /// them kept 99 % of its energy, dense where a pair is no smaller; Uncounted names nodes whose shapes are not known.
    /// </remarks>
    sealed record ModelReport(string File, string Kind, long IrVersion, long Opset, long Params, long Macs, double FactorableShare, double EnergySaving,
        IReadOnlyList<LayerReport> Layers, IReadOnlyList<SkippedReport> Skipped, IReadOnlyList<string> Uncounted);

    /// <summary>A factorable or a factored layer; the ranks are those of <see cref="WeightSpectrum"/>, null where the weight holds values that are not numbers.</summary>
    sealed record LayerReport(string Layer, string Kind, int Out, int In, int? Rank, int FullRank, int? NumericalRank, int? EnergyRank, int BreakEven);

    sealed record SkippedReport(string Node, string Why);

    /// <summary>Reads a model and tells.</summary>
    public static void Run(string file, int? openAxis, Terminal terminal, CancellationToken cancellation)
    {
        var model = OnnxModel.Load(file);
        var report = LodModel.IsLod(model) ? Describe(file, LodModel.Of(model), openAxis, cancellation) : Describe(file, model, openAxis, cancellation);
        terminal.Say(string.Create(CultureInfo.InvariantCulture,
            $"{file}: {report.Kind}, IR {report.IrVersion}, opset {report.Opset}, {report.Params:N0} parameters, {report.Macs:N0} MACs a sample"));
        if (report.Layers.Count > 0)
        {
            terminal.Show(Table(report.Layers));
        }

        terminal.Say(Verdict(report));
        if (report.Uncounted.Count > 0)
        {
            terminal.Say($"The shapes at {string.Join(", ", report.Uncounted)} are not known: MACs count each weight there once a sample. --open-axis gives open axes a size.");
        }

        foreach (var reason in report.Skipped.GroupBy(one => one.Why))
        {
            terminal.Say($"Left as it is, because {reason.Key}: {string.Join(", ", reason.Select(one => one.Node))}");
        }

        terminal.Answer(report);
    }

    static Table Table(IReadOnlyList<LayerReport> layers)
    {
        var table = Tables.Columns("layer", "kind", "out", "in", "rank", "full rank", "numerical rank", "99 % energy", "break-even rank");
        foreach (var layer in layers)
        {
            table.AddRow(Markup.Escape(layer.Layer), layer.Kind, $"{layer.Out}", $"{layer.In}", $"{(object?)layer.Rank ?? "dense"}", $"{layer.FullRank}",
                $"{(object?)layer.NumericalRank ?? "not numbers"}", $"{(object?)layer.EnergyRank ?? "not numbers"}", $"{layer.BreakEven}");
        }

        return table;
    }

    static string Verdict(ModelReport report) => report.Layers.Count == 0
        ? "None of its weights can be factored."
        : string.Create(CultureInfo.InvariantCulture, $"Factorable weights hold {report.FactorableShare:P1} of all parameters; keeping 99 % of each one's energy would save {report.EnergySaving:P1}")
            + (report.EnergySaving >= LittleToGain ? "."
                : report.Layers.All(layer => layer.NumericalRank == layer.FullRank) ? ": all of them are of full rank, so little is to be gained without training."
                : ": little is to be gained without training.");

    static ModelReport Describe(string file, LodModel lod, int? openAxis, CancellationToken cancellation)
    {
        var ranks = lod.Pairs.Select(pair => pair.TrueRank(lod.Model)).ToArray();
        var cost = lod.Cost(openAxis).At(ranks);
        ModelCost.Of(lod.Model, openAxis, out var uncounted);
        var layers = lod.Pairs.Zip(ranks, (pair, rank) => Describe(pair, rank, pair.Product(lod.Model), cancellation)).ToArray();
        return Report(file, "model.lod.onnx", lod.Model, cost, layers, [], uncounted);
    }

    static ModelReport Describe(string file, OnnxModel model, int? openAxis, CancellationToken cancellation)
    {
        var cost = ModelCost.Of(model, openAxis, out var uncounted);
        var layers = WeightLayers.Find(model, out var skipped)
            .Select(layer => Describe(new FactorPair(layer.Name, layer.Kind, "", "", [layer.Out, .. layer.In]), null, layer.Matrix(model), cancellation)).ToArray();
        return Report(file, "ONNX model", model, cost, layers, skipped, uncounted);
    }

    static ModelReport Report(string file, string kind, OnnxModel model, ModelCost cost, LayerReport[] layers, IReadOnlyList<WeightLayers.Skipped> skipped, IReadOnlyList<string> uncounted)
    {
        var all = Math.Max(1.0, cost.Params);
        var saved = layers.Sum(layer => layer.EnergyRank is { } rank ? Math.Max(0, Held(layer, layer.Rank) - Held(layer, rank)) : 0);
        return new ModelReport(file, kind, model.Proto.IrVersion, model.Opset, cost.Params, cost.Macs, layers.Sum(layer => Held(layer, layer.Rank)) / all, saved / all,
            layers, [.. skipped.Select(one => new SkippedReport(one.Node, one.Why))], uncounted);
    }

    /// <summary>The parameters of a layer's weight at a rank, dense where a pair is no smaller or there is none.</summary>
    static long Held(LayerReport layer, int? rank) => rank <= layer.BreakEven ? (long)rank * (layer.Out + layer.In) : (long)layer.Out * layer.In;

    static LayerReport Describe(FactorPair pair, int? rank, float[] matrix, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var spectrum = WeightSpectrum.Of(matrix, pair.Out, pair.In);
        return new(pair.Layer, pair.Kind == LayerKind.Conv ? FactoredLayer.Convolution : FactoredLayer.Linear, pair.Out, pair.In, rank, Math.Min(pair.Out, pair.In),
            spectrum?.NumericalRank, spectrum?.EnergyRank, pair.BreakEven);
    }
}
