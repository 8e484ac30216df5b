using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Data;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Compressor.Training;

/// <summary>Where a run is, told after each step.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Epochs">Of how many.</param>
/// <param name="Step">Step of the epoch, from 1.</param>
/// <param name="Steps">Steps an epoch.</param>
/// <param name="Loss">Mean loss of the epoch so far.</param>
public sealed record TrainingProgress(int Epoch, int Epochs, int Step, int Steps, double Loss);

/// <summary>One epoch, as a line of <c>metrics.jsonl</c>.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Loss">Mean loss over the epoch's samples: of the full pass plus, in the nested recipe, the sampled one.</param>
/// <param name="TrainAccuracy">Share of training samples answered right while training, at the ranks the loss was taken at, 0 to 1.</param>
/// <param name="LearningRate">At the epoch's end.</param>
/// <param name="Params">Parameters of the factored model, each layer at the cheaper of pair and dense.</param>
/// <param name="Macs">Multiply-accumulates a sample, counted the same way.</param>
/// <param name="Ranks">The current rank of each factored layer.</param>
/// <param name="Seconds">Wall time of the epoch.</param>
public sealed record EpochMetrics(
    int Epoch, double Loss, double TrainAccuracy, double LearningRate, long Params, long Macs, IReadOnlyDictionary<string, int> Ranks, double Seconds);

/// <summary>Trains a factored model by LoD: the ranks of a layer become ordered by what they are worth.</summary>
/// <remarks>Source: Horváth et al., Maestro, arXiv:2308.14929, Algorithm 1.</remarks>
public sealed class Trainer
{
    readonly TrainingOptions _options;
    readonly TimeProvider _clock;

    /// <param name="options">How to train.</param>
    /// <param name="clock">The clock behind the metrics' seconds; null for the system's.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public Trainer(TrainingOptions options, TimeProvider? clock = null)
    {
        _options = options.Checked();
        _clock = clock ?? TimeProvider.System;
    }

    /// <summary>Trains a copy of a model.</summary>
    /// <param name="model">A factored model whose output is one score a class; it is not changed.</param>
    /// <param name="samples">The training split.</param>
    /// <param name="onEpoch">Called after each epoch.</param>
    /// <param name="progress">Told after each step; null for no one.</param>
    /// <param name="cancellation">Checked before each step.</param>
    /// <exception cref="UntrainableModelException">The model's operators or its input do not allow it.</exception>
    /// <exception cref="TrainingDivergedException">The loss stopped being a number.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public LodModel Train(LodModel model, SampleSet samples, Action<EpochMetrics>? onEpoch = null, IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        using var run = new TrainingRun(model, samples, _options);
        for (var epoch = 1; epoch <= _options.Epochs; epoch++)
        {
            var started = _clock.GetTimestamp();
            var (loss, accuracy) = run.Epoch(epoch, progress, cancellation);
            run.Shrink();
            var cost = run.Cost();
            onEpoch?.Invoke(new EpochMetrics(epoch, loss, accuracy, run.LearningRate, cost.Params, cost.Macs, run.Ranks,
                _clock.GetElapsedTime(started).TotalSeconds));
        }

        return run.Result(model.Provenance with { Recipe = _options.Recipe.ToString().ToLowerInvariant(), Seed = _options.Seed, Epochs = _options.Epochs });
    }
}
