using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Compressor.Training.Tasks;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Compressor.Training;

/// <summary>What a search is to reach: a footprint, or an accuracy.</summary>
public sealed record LassoTarget
{
    /// <param name="macs">The largest share of the dense model's multiply-accumulates, in (0, 1]; null where accuracy is the target.</param>
    /// <param name="accuracy">The lowest validation accuracy, in (0, 1]; null where the footprint is.</param>
    /// <exception cref="ArgumentException">Neither or both are given, or one is out of its range.</exception>
    public LassoTarget(double? macs, double? accuracy)
    {
        if (macs is null == accuracy is null || !((macs ?? accuracy) is > 0 and <= 1))
        {
            throw new ArgumentException($"A search has one target, a share in (0, 1]: of the MACs, found {macs?.ToString() ?? "none"}, or of right answers, found {accuracy?.ToString() ?? "none"}.");
        }

        (Macs, Accuracy) = (macs, accuracy);
    }

    /// <summary>The largest share of the dense multiply-accumulates; null where accuracy is the target.</summary>
    public double? Macs { get; }

    /// <summary>The lowest validation accuracy; null where the footprint is the target.</summary>
    public double? Accuracy { get; }
}

/// <summary>One weight of the lasso, tried.</summary>
/// <param name="Lasso">The weight λ.</param>
/// <param name="MacsShare">Multiply-accumulates of what came out, as a share of the dense model's.</param>
/// <param name="Params">Its parameters.</param>
/// <param name="ValidationAccuracy">Share of held-out answers that were right, in 0..1.</param>
/// <param name="Epochs">Epochs trained.</param>
/// <param name="IsCutShort">Whether it was ended early, its ranks having collapsed.</param>
/// <param name="TrainingMacs">Multiply-accumulates that it took.</param>
/// <param name="Ranks">The rank of each layer.</param>
public sealed record LassoTry(
    double Lasso, double MacsShare, long Params, double ValidationAccuracy, int Epochs, bool IsCutShort, double TrainingMacs, IReadOnlyDictionary<string, int> Ranks);

/// <summary>What a search came to.</summary>
/// <param name="Result">The chosen run.</param>
/// <param name="Chosen">Its place in <paramref name="Tries"/>.</param>
/// <param name="IsMet">Whether it reaches the target; where none does, the nearest is chosen.</param>
/// <param name="Tries">Every try, from the largest weight down.</param>
public sealed record LassoSearchResult(TrainingResult Result, int Chosen, bool IsMet, IReadOnlyList<LassoTry> Tries);

/// <summary>Finds the lasso's weight for a target: from a large one, which ends early and so costs little, downward by halves.</summary>
/// <remarks>
/// For an accuracy the first weight that reaches it is the answer: the smallest model that is good enough. For a footprint it is the last
/// that keeps it: the best model that is small enough. Source: Maestro, Algorithm 2.
/// </remarks>
/// <param name="options">How each try trains; its lasso's weight is what is searched.</param>
/// <param name="target">What is to be reached.</param>
/// <param name="largest">The first weight, above 0.</param>
/// <param name="most">Tries at the most, 1 and more.</param>
public sealed class LassoSearch(TrainingOptions options, LassoTarget target, double largest, int most)
{
    const double FarBelow = 0.25; // of a footprint: ranks never grow back

    /// <summary>Trains until the target is met.</summary>
    /// <param name="start">The model that each try starts from.</param>
    /// <param name="training">What it learns.</param>
    /// <param name="validation">What it is judged by.</param>
    /// <param name="onTry">Told of each try when it ends.</param>
    /// <param name="progress">Told after each step; null for no one.</param>
    /// <param name="cancellation">Checked before each step.</param>
    /// <exception cref="UntrainableModelException">The model's operators or its inputs do not allow it.</exception>
    public LassoSearchResult Run(LodModel start, TrainingTask training, TrainingTask validation, Action<LassoTry> onTry, IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        List<LassoTry> tries = [];
        TrainingResult? chosen = null; // of all tries, only the model that would be chosen is kept
        for (var weight = largest; tries.Count < most; weight /= 2)
        {
            var (result, tried) = Try(weight, start, training, validation, progress, cancellation);
            tries.Add(tried);
            chosen = Choose(tries) == tries.Count - 1 ? result : chosen;
            onTry(tried);
            if (target.Accuracy is not null ? IsMet(tried) : !IsMet(tried))
            {
                break;
            }
        }

        var place = Choose(tries);
        return new LassoSearchResult(chosen!, place, IsMet(tries[place]), tries);
    }

    (TrainingResult, LassoTry) Try(double weight, LodModel start, TrainingTask training, TrainingTask validation, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        var dense = start.Cost().Dense;
        var trainer = new Trainer(options with { Lasso = options.Lasso with { Weight = weight } });
        var result = trainer.Train(start, training, validation, progress: progress, endsAfter: epoch => HasCollapsed(epoch, dense.Macs), cancellation: cancellation);
        var last = result.Epochs[^1];
        var best = result.Epochs[result.BestEpoch - 1];
        return (result, new LassoTry(weight, (double)best.Macs / dense.Macs, best.Params, best.ValidationAccuracy!.Value, result.Epochs.Count,
            result.Epochs.Count < options.Epochs, last.TrainingMacs, best.Ranks));
    }

    /// <summary>Whether nothing good can come of a try any more: a layer has lost every rank, or the model is far below its footprint.</summary>
    bool HasCollapsed(EpochMetrics epoch, long denseMacs) =>
        epoch.Epoch < options.Epochs && (epoch.Ranks.Values.Any(rank => rank == 0) || epoch.Macs < FarBelow * target.Macs * denseMacs);

    bool IsMet(LassoTry tried) => target.Accuracy is { } accuracy ? tried.ValidationAccuracy >= accuracy : tried.MacsShare <= target.Macs;

    int Choose(List<LassoTry> tries)
    {
        var met = Enumerable.Range(0, tries.Count).Where(i => IsMet(tries[i])).ToList();
        return target.Accuracy is not null
            ? met.Count > 0 ? met[0] : Enumerable.Range(0, tries.Count).MaxBy(i => tries[i].ValidationAccuracy)
            : met.Count > 0 ? met[^1] : Enumerable.Range(0, tries.Count).MinBy(i => tries[i].MacsShare);
    }
}
