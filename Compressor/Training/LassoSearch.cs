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
/// <param name="Epochs">Epochs trained, a dense start that tries share among them.</param>
/// <param name="IsCutShort">Whether it was ended early, its ranks having collapsed.</param>
/// <param name="TrainingMacs">Multiply-accumulates of those epochs.</param>
/// <param name="MacsShare">Multiply-accumulates of what came out, as a share of the dense model's; null where the try diverged, as all that follows.</param>
/// <param name="Params">Its parameters.</param>
/// <param name="ValidationAccuracy">Share of held-out answers that were right, in 0..1.</param>
/// <param name="Ranks">The rank of each layer, 0 where only its bias is left.</param>
/// <param name="Diverged">Where the try diverged, in words; null where it did not.</param>
public sealed record LassoTry(
    double Lasso, int Epochs, bool IsCutShort, double TrainingMacs, double? MacsShare = null, long? Params = null, double? ValidationAccuracy = null,
    IReadOnlyDictionary<string, int>? Ranks = null, string? Diverged = null);

/// <summary>What a search came to.</summary>
/// <param name="Chosen">The place in <paramref name="Tries"/> of the one to take.</param>
/// <param name="IsMet">Whether it reaches the target; where none does, the nearest is chosen.</param>
/// <param name="Tries">Every try, from the largest weight down.</param>
public sealed record LassoSearchResult(int Chosen, bool IsMet, IReadOnlyList<LassoTry> Tries);

/// <summary>Finds the lasso's weight for a target: from a large one, which ends early and so costs little, downward by halves.</summary>
/// <remarks>
/// <para>
/// For an accuracy the first weight that reaches it is the answer: the smallest model that is good enough. For a footprint it is the last
/// that keeps it: the best model that is small enough. Source: Maestro, Algorithm 2.
/// </para>
/// <para>
/// The lasso acts on factors, so a dense start is the same at every weight: it is trained once, and each try is a run that branches off from
/// its checkpoint and ends, in one thread, with the bits of a lone run of that weight. What is next follows from the tries so far.
/// </para>
/// </remarks>
/// <param name="options">How each try trains; its lasso's weight is what is searched.</param>
/// <param name="target">What is to be reached.</param>
/// <param name="largest">The first weight, above 0.</param>
/// <param name="most">Tries at the most, 1 and more.</param>
public sealed class LassoSearch(TrainingOptions options, LassoTarget target, double largest, int most)
{
    const double FarBelow = 0.25; // of a footprint: ranks never grow back

    /// <summary>The folder of one try's run.</summary>
    /// <param name="folder">The search's.</param>
    /// <param name="number">Which try, from 1.</param>
    public static string FolderOf(string folder, int number) => Path.Combine(folder, $"try-{number}");

    /// <summary>Trains until the target is met.</summary>
    /// <param name="start">The model that each try starts from.</param>
    /// <param name="training">What it learns.</param>
    /// <param name="validation">What it is judged by.</param>
    /// <param name="folder">Where checkpoints are kept while the search lasts: of the start there, and of each try in a folder of its own.</param>
    /// <param name="finished">The tries of a search that was stopped, in their order; none for a new one.</param>
    /// <param name="onTry">Told of each try when it ends, with its model, null where it diverged; its checkpoint goes when this has returned.</param>
    /// <param name="onEpoch">Told of each epoch of a try, by the try's number; of those of a checkpoint first.</param>
    /// <param name="progress">Who is told after each step of a try, by its number; 0 is the dense start. Null for no one.</param>
    /// <param name="cancellation">Checked before each step.</param>
    /// <exception cref="UntrainableModelException">The model's operators or its inputs do not allow it.</exception>
    /// <exception cref="TrainingDivergedException">The dense start diverged, or every try.</exception>
    /// <exception cref="CheckpointException">The folder holds a search of other options, another model or other data.</exception>
    public LassoSearchResult Run(LodModel start, TrainingTask training, TrainingTask validation, string folder, IReadOnlyList<LassoTry> finished, Action<LassoTry, LodModel?> onTry,
        Action<int, EpochMetrics>? onEpoch = null, Func<int, IProgress<TrainingProgress>>? progress = null, CancellationToken cancellation = default)
    {
        var shared = new Checkpoint(folder);
        List<LassoTry> tries = [.. finished];
        foreach (var left in Enumerable.Range(1, tries.Count).Select(number => new Checkpoint(FolderOf(folder, number))).Where(checkpoint => checkpoint.Exists))
        {
            left.Delete(); // the search was stopped just after that try
        }

        if (Next(tries) is not null)
        {
            new Trainer(options).TrainDense(start, training, validation, shared, progress?.Invoke(0), cancellation);
        }

        while (Next(tries) is { } weight)
        {
            var number = tries.Count + 1;
            var checkpoint = new Checkpoint(FolderOf(folder, number));
            var weighted = options with { Lasso = options.Lasso with { Weight = weight } };
            if (!checkpoint.Exists)
            {
                shared.Branch(checkpoint, weighted);
            }

            var (tried, model) = Try(weighted, start, training, validation, checkpoint, epoch => onEpoch?.Invoke(number, epoch), progress?.Invoke(number), cancellation);
            tries.Add(tried);
            onTry(tried, model);
            checkpoint.Delete();
        }

        var chosen = Choose(tries) ?? throw new TrainingDivergedException(FormattableString.Invariant(
            $"Each of {tries.Count} tries diverged, the last with a lasso of {tries[^1].Lasso:g4}: {tries[^1].Diverged}"));
        shared.Delete();
        return new LassoSearchResult(chosen, IsMet(tries[chosen]), tries);
    }

    (LassoTry, LodModel?) Try(TrainingOptions weighted, LodModel start, TrainingTask training, TrainingTask validation, Checkpoint checkpoint, Action<EpochMetrics> onEpoch,
        IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        var (weight, dense) = (weighted.Lasso.Weight, start.Cost().Dense.Macs);
        EpochMetrics? last = null;
        try
        {
            var result = new Trainer(weighted).Train(start, training, validation, checkpoint, epoch => onEpoch(last = epoch), progress, epoch => HasCollapsed(epoch, dense), cancellation);
            var (epochs, best) = (result.Epochs.Count, result.Epochs[result.BestEpoch - 1]);
            return (new LassoTry(weight, epochs, epochs < options.Epochs, result.Epochs[^1].TrainingMacs, (double)best.Macs / dense, best.Params, best.ValidationAccuracy, best.Ranks),
                result.Model);
        }
        catch (TrainingDivergedException e)
        {
            return (new LassoTry(weight, last?.Epoch ?? 0, IsCutShort: false, last?.TrainingMacs ?? 0, Diverged: e.Message), null);
        }
    }

    /// <summary>The weight to try after those tried; null where the search has ended.</summary>
    double? Next(List<LassoTry> tries) =>
        tries.Count >= most || tries is [.., { Diverged: null } last] && IsMet(last) == (target.Accuracy is not null) ? null : Math.ScaleB(largest, -tries.Count);

    /// <summary>Whether nothing good can come of a try any more: every layer has lost all its ranks, or the model is far below its footprint.</summary>
    /// <remarks>A single layer may well be worth nothing, such as a branch beside a residual.</remarks>
    bool HasCollapsed(EpochMetrics epoch, long denseMacs) =>
        epoch.Epoch < options.Epochs && (epoch.Ranks.Count > 0 && epoch.Ranks.Values.All(rank => rank == 0) || epoch.Macs < FarBelow * target.Macs * denseMacs);

    bool IsMet(LassoTry tried) => target.Accuracy is { } accuracy ? tried.ValidationAccuracy >= accuracy : tried.MacsShare <= target.Macs;

    int? Choose(List<LassoTry> tries)
    {
        int[] trained = [.. Enumerable.Range(0, tries.Count).Where(i => tries[i].Diverged is null)];
        int[] met = [.. trained.Where(i => IsMet(tries[i]))];
        return trained.Length == 0 ? null
            : target.Accuracy is not null ? met.Length > 0 ? met[0] : trained.MaxBy(i => tries[i].ValidationAccuracy)
            : met.Length > 0 ? met[^1] : trained.MinBy(i => tries[i].MacsShare);
    }
}
