using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Compressor.Training.Tasks;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Compressor.Training;

/// <summary>Trains a model by LoD: the ranks of a layer become ordered by what they are worth.</summary>
/// <remarks>
/// On Linux the process keeps, from the first trainer on, native memory that is freed, for what comes next: a step asks for the same each time. Environment variables of the C library's own
/// (<c>MALLOC_TRIM_THRESHOLD_</c>) come first. Source: Horváth et al., Maestro, arXiv:2308.14929, Algorithm 1.
/// </remarks>
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
        FreedMemory.Keep();
    }

    /// <summary>Trains a copy of a model.</summary>
    /// <param name="start">The model: dense, without pairs, or factored already. It is not changed.</param>
    /// <param name="training">What it learns.</param>
    /// <param name="validation">What the best epoch is chosen by; null takes the last.</param>
    /// <param name="checkpoint">Where the run is kept after each epoch, and goes on from if it was; null keeps it nowhere.</param>
    /// <param name="onEpoch">Called with each epoch's metrics, once they are safe; with those of a checkpoint first.</param>
    /// <param name="progress">Told after each step; null for no one.</param>
    /// <param name="endsAfter">Whether an epoch is to be the last, though more were asked for; null for never.</param>
    /// <param name="cancellation">Checked before each step, and each batch of what is held out.</param>
    /// <exception cref="ArgumentException">Plans are to be trained, and the model is not factored, or not in the layers that they name.</exception>
    /// <exception cref="OnnxFormatException">The model cannot be factored.</exception>
    /// <exception cref="UntrainableModelException">The model's operators or its inputs do not allow it.</exception>
    /// <exception cref="TrainingDivergedException">The loss stopped being a number.</exception>
    /// <exception cref="CheckpointException">The checkpoint is of another run.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public TrainingResult Train(LodModel start, TrainingTask training, TrainingTask? validation = null, Checkpoint? checkpoint = null, Action<EpochMetrics>? onEpoch = null,
        IProgress<TrainingProgress>? progress = null, Func<EpochMetrics, bool>? endsAfter = null, CancellationToken cancellation = default)
    {
        using var run = Open(start, training, validation, checkpoint, progress, cancellation, out var best);
        foreach (var epoch in run.State.Epochs)
        {
            onEpoch?.Invoke(epoch);
        }

        if (validation is not null)
        {
            run.JudgeStart(validation, cancellation);
        }

        // Asked before each epoch, since a run may have been stopped after its last one.
        while (run.State.Epochs.Count < _options.Epochs && !(run.State.Epochs is [.., var last] && endsAfter?.Invoke(last) == true))
        {
            if (!run.IsFactored && run.State.Epochs.Count == _options.DenseEpochs)
            {
                run.Factor();
            }

            best = Epoch(run, training, validation, progress, checkpoint, cancellation) ?? best;
            onEpoch?.Invoke(run.State.Epochs[^1]);
        }

        if (!run.IsFactored)
        {
            best = SvdFactoring.Factor((best ?? run.Model()).Model, run.Provenance, _options.Layers, _options.RankShare);
        }

        var (model, ofEpoch) = run.IsUnbeaten ? (start, 0) : (best ?? run.Model(), run.State.BestEpoch > 0 ? run.State.BestEpoch : run.State.Epochs.Count);
        return new TrainingResult(new LodModel(model.Model, model.Pairs, model.Provenance with { Recipe = _options.Recipe, Seed = _options.Seed, Epochs = run.State.Epochs.Count }),
            run.State.Epochs, ofEpoch, run.Plans);
    }

    /// <summary>Trains the dense epochs alone, into a checkpoint: where runs can go on from that differ in what acts on factors (<see cref="Checkpoint.Branch"/>).</summary>
    /// <param name="start">The model; where it is factored already, or there are no dense epochs, the checkpoint is of it as it is.</param>
    /// <param name="training">What it learns.</param>
    /// <param name="validation">What epochs are judged by; null for nothing.</param>
    /// <param name="checkpoint">Where the dense epochs are kept after each, and go on from if they were.</param>
    /// <param name="progress">Told after each step; null for no one.</param>
    /// <param name="cancellation">Checked before each step.</param>
    /// <inheritdoc cref="Train" path="/exception"/>
    public void TrainDense(LodModel start, TrainingTask training, TrainingTask? validation, Checkpoint checkpoint, IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        using var run = Open(start, training, validation, checkpoint, progress, cancellation, out _);
        var dense = start.Pairs.Count > 0 ? 0 : _options.DenseEpochs;
        if (run.State.Epochs.Count > dense)
        {
            throw checkpoint.OfAnotherRun($"it has come to epoch {run.State.Epochs.Count}, and the dense start ends with epoch {dense}");
        }

        if (!checkpoint.Exists)
        {
            checkpoint.Save(run, null, _options, training);
        }

        while (run.State.Epochs.Count < dense)
        {
            Epoch(run, training, validation, progress, checkpoint, cancellation);
        }
    }

    /// <summary>A run at its start, or where its checkpoint left it with the best model so far.</summary>
    TrainingRun Open(LodModel start, TrainingTask training, TrainingTask? validation, Checkpoint? checkpoint, IProgress<TrainingProgress>? progress,
        CancellationToken cancellation, out LodModel? best)
    {
        if (start.Pairs.Count == 0)
        {
            if (_options.Plans is not null)
            {
                throw new ArgumentException("Plans are trained on a model that is factored already, in the layers that they name.", nameof(start));
            }

            SvdFactoring.Check(start.Model, _options.Layers);
        }

        validation?.Check(start);
        var kept = checkpoint?.Load(start, _options, training);
        best = kept?.Best;
        return kept?.Resume(training, _options) ?? new TrainingRun(start, training, _options,
            _options.TriesPlans ? new PlanTrial(start, training, validation ?? training, _options, _clock).Run(progress, cancellation) : new RunState());
    }

    /// <summary>One epoch with all that follows it, its checkpoint last.</summary>
    /// <returns>The model, if it is the best since the ranks last changed.</returns>
    LodModel? Epoch(TrainingRun run, TrainingTask training, TrainingTask? validation, IProgress<TrainingProgress>? progress, Checkpoint? checkpoint, CancellationToken cancellation)
    {
        var started = _clock.GetTimestamp();
        var epoch = run.State.Epochs.Count + 1;
        var (loss, accuracy) = run.TrainEpoch((step, meanLoss) => progress?.Report(At(step, meanLoss)), cancellation);
        run.Shrink();
        run.RecalibrateNorms();
        var validated = validation is null ? ((double Loss, double? Accuracy, double Score)?)null : run.Validate(validation, cancellation);
        var isBest = validated is { } now && (run.State.BestEpoch == 0 || now.Score < run.State.BestScore);
        var cost = run.Cost;
        run.Note(new EpochMetrics(epoch, loss, accuracy, validated?.Loss, validated?.Accuracy, run.LearningRate, cost.Params, cost.Macs, run.State.TrainingMacs, run.Ranks,
            run.Importance, _clock.GetElapsedTime(started).TotalSeconds), isBest, validated?.Score ?? 0);
        var best = isBest ? run.Model() : null;
        checkpoint?.Save(run, best, _options, training);
        return best;

        TrainingProgress At(int step, double meanLoss)
        {
            var elapsed = _clock.GetElapsedTime(started);
            var stepsLeft = (long)run.StepsAnEpoch * (_options.Epochs - epoch + 1) - step;
            return new TrainingProgress(epoch, _options.Epochs, step, run.StepsAnEpoch, meanLoss, (double)step / run.StepsAnEpoch * run.SamplesAnEpoch / elapsed.TotalSeconds,
                elapsed * ((double)stepsLeft / step));
        }
    }
}
