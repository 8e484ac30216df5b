using System.Text.Json.Serialization;
using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Training.Optimization;

namespace MaestroDeploy.Compressor.Training;

/// <summary>Which ranks a step trains besides, or instead of, the full ones.</summary>
public enum Sampling
{
    /// <summary>One share for all layers at once: trains a whole family. The default.</summary>
    Nested,

    /// <summary>One (layer, rank) pair, the other layers full: Maestro, Algorithm 1.</summary>
    SingleLayer,

    /// <summary>A rank of its own for every layer.</summary>
    Independent,

    /// <summary>One of the given plans, so that just what is to be exported is trained.</summary>
    Plans,

    /// <summary>None: the model as it is, at the share of its ranks that it was factored to, as Pufferfish trains.</summary>
    None,
}

/// <summary>How a run trains. Every value is checked on construction of the <see cref="Trainer"/>.</summary>
public sealed record TrainingOptions
{
    /// <summary>The recipe that these are the settings of, or that they began from; default nested.</summary>
    public string Recipe { get; init; } = Recipes.Nested;

    /// <summary>Which ranks a step trains; default <see cref="Sampling.Nested"/>.</summary>
    public Sampling Sampling { get; init; } = Sampling.Nested;

    /// <summary>The smallest share that nested sampling draws, in (0, 1]; default 1/16.</summary>
    public double SmallestShare { get; init; } = 1.0 / 16;

    /// <summary>The probability that a nested share is drawn log-uniformly instead of uniformly, 0 to 1; default 1.</summary>
    public double Logarithmic { get; init; } = 1;

    /// <summary>The plans of <see cref="Sampling.Plans"/>, those of one budget one after the other; null for none.</summary>
    public IReadOnlyList<TrainedPlan>? Plans { get; init; }

    /// <summary>Whether some budget has several plans, of which the one is to be found that can be trained best.</summary>
    [JsonIgnore]
    public bool TriesPlans => Plans is not null && Plans.DistinctBy(plan => plan.Budget).Count() < Plans.Count;

    /// <summary>Whether each step also trains the model at full ranks; default yes. The paper does not.</summary>
    public bool FullPass { get; init; } = true;

    /// <summary>Whether the full pass teaches the cut ones, instead of the labels; default yes. A teacher teaches both.</summary>
    public bool SoftTargets { get; init; } = true;

    /// <summary>The share of the loss that is taken from the labels where a teacher gives the rest and there are labels, 0 to 1; default 0.</summary>
    public double LabelWeight { get; init; }

    /// <summary>Passes over the training split, 1 and more; default 10.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>Share of the epochs that are trained dense before the weights are factored, 0 to 1; default 0.25. At 1 they are factored at the end.</summary>
    public double DenseShare { get; init; } = 0.25;

    /// <summary>The epochs of <see cref="DenseShare"/>.</summary>
    [JsonIgnore]
    public int DenseEpochs => (int)Math.Round(DenseShare * Epochs);

    /// <summary>Which layers are factored; default all.</summary>
    public LayerChoice Layers { get; init; } = LayerChoice.All;

    /// <summary>Share of each layer's full rank that is kept when it is factored, in (0, 1]; default 1.</summary>
    public double RankShare { get; init; } = 1;

    /// <summary>Samples a step, 1 and more; default 64. A last, smaller batch is trained too.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>How gradients become steps; default <see cref="OptimizerKind.Sgd"/>.</summary>
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.Sgd;

    /// <summary>Peak learning rate, above 0; default 0.1.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>How the rate changes; default <see cref="ScheduleKind.Cosine"/>.</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Cosine;

    /// <summary>Share of the steps over which the rate rises, 0 to 1; default 0.05.</summary>
    public double WarmUp { get; init; } = 0.05;

    /// <summary>Momentum of gradient descent, in [0, 1); default 0.9.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>Weight decay, 0 and more; default 0.0001.</summary>
    public double WeightDecay { get; init; } = 1e-4;

    /// <summary>Whether decay acts on tensors of one axis too: biases and norms; default no.</summary>
    public bool DecaysAll { get; init; }

    /// <summary>Longest gradient of all parameters together before it is scaled down, above 0, or infinite; default 1.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Share of a label's probability that is spread over all classes, in [0, 1); default 0.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>The group lasso; default none, which orders the ranks and removes none.</summary>
    public Lasso Lasso { get; init; } = new();

    /// <summary>A tail of ranks goes when the product of its factors' norms is at most this; default 1e-7, the paper's.</summary>
    public double ShrinkThreshold { get; init; } = 1e-7;

    /// <summary>Share of the training split that is held out to choose the best epoch by, in [0, 0.5]; default 0.05. At 0 the last epoch is taken.</summary>
    public double Validation { get; init; } = 0.05;

    /// <summary>Seeds weights, shuffling and sampling; default 1. The same seed and thread count give the same run.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>These options, all of them in their ranges.</summary>
    /// <exception cref="ArgumentException">The first value out of its range, named as on the command line.</exception>
    public TrainingOptions Checked()
    {
        Require(Epochs >= 1, "epochs", Epochs, "1 or more");
        Require(DenseShare is >= 0 and <= 1, "dense-epochs", DenseEpochs, $"from 0 to the {Epochs} epochs");
        Require(BatchSize >= 1, "batch-size", BatchSize, "1 or more");
        Require(LearningRate > 0 && double.IsFinite(LearningRate), "learning-rate", LearningRate, "above 0");
        Require(WarmUp is >= 0 and <= 1, "warm-up", WarmUp, "from 0 to 1");
        Require(Momentum is >= 0 and < 1, "momentum", Momentum, "in [0, 1)");
        Require(WeightDecay >= 0 && double.IsFinite(WeightDecay), "weight-decay", WeightDecay, "0 or more");
        Require(ClipNorm > 0, "clip", ClipNorm, "above 0");
        Require(LabelSmoothing is >= 0 and < 1, "label-smoothing", LabelSmoothing, "in [0, 1)");
        Require(Lasso.Weight >= 0 && double.IsFinite(Lasso.Weight), "lasso", Lasso.Weight, "0 or more");
        Require(Lasso.Until is >= 0 and <= 1, "lasso-until", Lasso.Until, "from 0 to 1");
        Require(LabelWeight is >= 0 and <= 1, "label-weight", LabelWeight, "from 0 to 1");
        Require(Sampling == Sampling.Plans == Plans is { Count: > 0 }, "sampling", Sampling, "plans where plans are given, and only there");
        Require(Sampling != Sampling.Plans || Lasso.Weight == 0, "lasso", Lasso.Weight, "0 where plans are trained: it would remove ranks that they need");
        Require(Layers.SkipFirst >= 0, "skip-first", Layers.SkipFirst, "0 or more");
        Require(Layers.SkipLast >= 0, "skip-last", Layers.SkipLast, "0 or more");
        Require(ShrinkThreshold >= 0, "shrink-threshold", ShrinkThreshold, "0 or more");
        Require(SmallestShare is > 0 and <= 1, "smallest-share", SmallestShare, "in (0, 1]");
        Require(Logarithmic is >= 0 and <= 1, "logarithmic", Logarithmic, "from 0 to 1");
        Require(RankShare is > 0 and <= 1, "rank-share", RankShare, "in (0, 1]");
        Require(Validation is >= 0 and <= 0.5, "validation", Validation, "from 0 to 0.5");
        return this;
    }

    static void Require(bool holds, string name, object value, string range)
    {
        if (!holds)
        {
            throw new ArgumentException(FormattableString.Invariant($"--{name} is {value}, and must be {range}."));
        }
    }
}
