using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter.Planning;

/// <summary>Measures, in ONNX Runtime, what cutting does to a model's answers: one layer at a time, or all of a plan at once.</summary>
/// <remarks>Source: FlexRank's probing, with the answers' divergence in the place of the loss, so that no labels are needed.</remarks>
sealed class ErrorProbe : IDisposable
{
    // As many multiply-accumulates as two slow cores do in some two minutes; the samples follow from it, so that they do not depend on the clock.
    const double Work = 4e12;
    const int FewSamples = 64, MostSamples = 4096;

    // Of a model that would take many times as long with few samples, and of one whose cost is not known, the fewest.
    const double MostWork = 4 * Work;
    const int FewestSamples = 4;

    readonly MaskedModel _model;
    readonly EvaluationData _data;

    /// <param name="lod">The trained model.</param>
    /// <param name="cost">What it costs.</param>
    /// <param name="data">Samples to measure on.</param>
    /// <param name="settings">How to run it.</param>
    /// <param name="scratch">A folder for files that do not stay.</param>
    public ErrorProbe(LodModel lod, LodCost cost, EvaluationData data, SessionSettings settings, string scratch)
    {
        _data = data;
        _model = new MaskedModel(lod, data, SamplesFor(cost), settings, scratch);
    }

    /// <summary>Samples that each plan is measured on.</summary>
    public static int SamplesFor(LodCost cost)
    {
        var macs = Math.Max(1.0, cost.Layers.Sum(layer => CandidateRanks.Of(layer).Count) * (double)cost.Dense.Macs);
        var few = cost.IsCounted ? Math.Min(FewSamples, MostWork / macs) : FewestSamples;
        return (int)Math.Clamp(Work / macs, Math.Max(FewestSamples, few), cost.IsCounted ? MostSamples : FewestSamples);
    }

    /// <summary>SHA-256 of the samples as they are fed.</summary>
    public string InputsSha256 => _model.InputsSha256;

    /// <summary>What a table of this probe says it measured.</summary>
    public static string MeasureOf(EvaluationData data) => data.GivesScores ? "divergence" : "distance";

    /// <summary>The error of a plan: all its layers cut at once.</summary>
    /// <param name="ranks">A rank for each layer.</param>
    public double Error(IReadOnlyList<int> ranks) => MeasureOf(_data) == "divergence"
        ? AnswerDistance.Divergence(_model.Uncut, _model.Outputs(ranks))
        : AnswerDistance.Relative(_model.Uncut, _model.Outputs(ranks));

    /// <summary>The error of each layer alone at its candidate ranks.</summary>
    /// <param name="sourceSha256">The hash of the model's file.</param>
    /// <param name="cost">What the model costs.</param>
    /// <param name="progress">Told each layer's name.</param>
    /// <param name="cancellation">Checked before each run.</param>
    public ErrorTable Measure(string sourceSha256, LodCost cost, Action<string> progress, CancellationToken cancellation)
    {
        List<LayerErrors> layers = [];
        for (var i = 0; i < cost.Layers.Count; i++)
        {
            progress($"probing {cost.Layers[i].Pair.Layer}, {i + 1} of {cost.Layers.Count}");
            var ranks = CandidateRanks.Of(cost.Layers[i]);
            layers.Add(new LayerErrors(cost.Layers[i].Pair.Layer, ranks, Falling([.. ranks.Select(rank => Alone(i, rank, cancellation))])));
        }

        return new ErrorTable { SourceSha256 = sourceSha256, Data = _data.Name, DataSha256 = _model.InputsSha256, Samples = _model.Samples, Measure = MeasureOf(_data), Layers = layers };
    }

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();

    double Alone(int layer, int rank, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return rank == _model.Ranks[layer] ? 0 : Error([.. _model.Ranks.Select((full, i) => i == layer ? rank : full)]);
    }

    // A larger rank may by chance answer worse; then the smaller one counts as no better than it.
    static double[] Falling(double[] errors)
    {
        for (var i = errors.Length - 2; i >= 0; i--)
        {
            errors[i] = Math.Max(errors[i], errors[i + 1]);
        }

        return errors;
    }
}
