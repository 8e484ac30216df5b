using System.Globalization;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using Spectre.Console;

namespace MaestroDeploy.Cli.Commands;

/// <summary>What <c>decompose --json</c> prints.</summary>
/// <param name="Model">The file written.</param>
/// <param name="Params">Of the model before.</param>
/// <param name="Macs">Of the model before, for one sample.</param>
/// <param name="Data">What the layers were watched on; absent where components go by the weights alone.</param>
/// <param name="EnergyParams">For some shares of each layer's energy, the parameters that keeping them takes, each layer dense where that is less.</param>
/// <param name="Layers">The factored layers, in the order of the graph.</param>
/// <param name="Skipped">The weights that are left as they are.</param>
/// <param name="Alike">Why components go by the size of a layer's answers alone, and not by what the outputs make of them; absent where they do not.</param>
sealed record DecompositionReport(
    string Model, long Params, long Macs, string? Data, IReadOnlyDictionary<string, long> EnergyParams, IReadOnlyList<DecomposedLayer> Layers,
    IReadOnlyList<WeightLayers.Skipped> Skipped, string? Alike);

/// <summary>One factored layer.</summary>
/// <param name="Layer">Its name.</param>
/// <param name="Out">Rows of its weight.</param>
/// <param name="In">Columns of its weight.</param>
/// <param name="Rank">The rank kept: the full one.</param>
/// <param name="BreakEven">The largest rank at which factors cost less.</param>
/// <param name="EnergyRanks">For some shares of its energy, the rank that keeps them.</param>
/// <param name="ByWeights">Why it was decomposed by its weight alone although there is data; absent where it was not.</param>
sealed record DecomposedLayer(string Layer, int Out, int In, int Rank, int BreakEven, IReadOnlyDictionary<string, int> EnergyRanks, string? ByWeights);

/// <summary>Factors a model without training it, by what its layers answer where there is data.</summary>
/// <param name="settings">How to run the model while its layers are watched.</param>
/// <param name="terminal">Told how far it is.</param>
/// <param name="cancellation">Checked before each batch.</param>
sealed class DecompositionJob(SessionSettings settings, Terminal terminal, CancellationToken cancellation)
{
    static readonly double[] Shares = [0.9, 0.99, 0.999];

    /// <summary>Writes a <c>model.lod.onnx</c>.</summary>
    /// <exception cref="CommandException">The model is factored already.</exception>
    public DecompositionReport Run(string source, string output, CalibrationSource data, LayerChoice choice)
    {
        TorchSharp.torch.set_num_threads(settings.Threads);
        var model = OnnxModel.Load(source);
        if (LodModel.IsLod(model))
        {
            throw new CommandException($"{source}: it is factored already; export it, or train it further.");
        }

        data.Data?.Prepare(model);
        model = BatchProbe.Open(model, data.Inputs ?? CalibrationSource.Random, settings);
        using var responses = Watch(model, data, choice);
        terminal.Progress("decomposing");
        var provenance = new LodProvenance(
            Path.GetFileName(source), data.Evaluation?.Name, data.Data?.Scaling, responses is null ? LodProvenance.Svd : LodProvenance.DataAwareSvd);
        var (lod, spectra) = SvdFactoring.Decompose(model, provenance, choice, responses: responses);
        cancellation.ThrowIfCancellationRequested();
        lod.Save(output);
        WeightLayers.Find(model, out var skipped);
        return Report(output, lod, spectra, responses, skipped);
    }

    /// <summary>Prints what a decomposition came to.</summary>
    public void Show(DecompositionReport report)
    {
        var table = Tables.Columns("layer", ["out", "in", "full rank", "break-even rank", .. Shares.Select(share => $"rank for {Label(share)}")]);
        foreach (var layer in report.Layers)
        {
            table.AddRow([Markup.Escape(layer.Layer), $"{layer.Out}", $"{layer.In}", $"{layer.Rank}", $"{layer.BreakEven}", .. layer.EnergyRanks.Values.Select(rank => $"{rank}")]);
        }

        terminal.Show(table);
        TellWhatCounts(report);
        foreach (var skipped in report.Skipped)
        {
            terminal.Say($"{skipped.Node} is left as it is: {skipped.Why}");
        }

        var energy = report.Data is { } data ? $"its answers' energy on {data}" : "its weight's energy";
        terminal.Say($"{report.Model}: {report.Layers.Count} layers factored. Of {Units.Count(report.Params)} parameters "
            + $"{string.Join(", ", report.EnergyParams.Select(kept => $"{Units.Count(kept.Value)} keep {kept.Key}"))} of {energy}, layer by layer.");
    }

    /// <summary>Prints which layers go by less than what the outputs make of their answers, and why.</summary>
    public void TellWhatCounts(DecompositionReport report)
    {
        foreach (var layer in report.Layers.Where(layer => layer.ByWeights is not null))
        {
            terminal.Say($"{layer.Layer} goes by its weight alone: {layer.ByWeights}");
        }

        if (report.Alike is { } why)
        {
            terminal.Say($"every answer of a layer counts alike, whatever the outputs make of it: {why}");
        }
    }

    PrincipalResponses? Watch(OnnxModel model, CalibrationSource data, LayerChoice choice) => data.Inputs is { } inputs
        ? PrincipalResponses.Measure(
            model, inputs, choice, settings, new Reporter<int>(batch => terminal.Progress("watching the layers", $"batch {batch}")), data.FollowOutputs, data.Centred, cancellation)
        : null;

    static DecompositionReport Report(
        string output, LodModel lod, IReadOnlyList<LayerSpectrum> spectra, PrincipalResponses? responses, IReadOnlyList<WeightLayers.Skipped> skipped)
    {
        var cost = lod.Cost();
        return new DecompositionReport(
            output, cost.Dense.Params, cost.Dense.Macs, responses is null ? null : lod.Provenance.Data,
            Shares.ToDictionary(Label, share => cost.At([.. spectra.Select(spectrum => spectrum.RankFor(share))]).Params),
            [.. cost.Layers.Zip(spectra, (layer, spectrum) => new DecomposedLayer(
                layer.Pair.Layer, layer.Pair.Out, layer.Pair.In, layer.Rank, layer.Pair.BreakEven, Shares.ToDictionary(Label, spectrum.RankFor),
                responses?.ByWeights.GetValueOrDefault(layer.Pair.Layer)))],
            skipped, responses?.WhyAlike);
    }

    static string Label(double share) => (100 * share).ToString("0.#", CultureInfo.InvariantCulture) + " %";
}
