namespace MaestroDeploy.Compressor.Training;

/// <summary>Which ranks a step trains.</summary>
public enum Recipe
{
    /// <summary>One share for all layers a step, taught by the pass at full ranks: trains a whole family. The default.</summary>
    Nested,

    /// <summary>One (layer, rank) pair a step, the others full, no pass at full ranks: Maestro, Algorithm 1.</summary>
    Paper,
}

/// <summary>How the group lasso acts.</summary>
public enum LassoStep
{
    /// <summary>By its exact proximal step after each gradient step: tails become exactly zero. The default.</summary>
    Proximal,

    /// <summary>By its subgradient, as the paper's code has it: tails end near the learning rate times the weight, and never at zero.</summary>
    Subgradient,
}

/// <summary>How a run trains. Every value is checked on construction of the <see cref="Trainer"/>.</summary>
public sealed record TrainingOptions
{
    /// <summary>The sampling recipe; default <see cref="Recipe.Nested"/>.</summary>
    public Recipe Recipe { get; init; } = Recipe.Nested;

    /// <summary>Passes over the training split, 1 and more; default 10.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>Samples a step, 1 and more; default 128. A last, smaller batch is trained too.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Peak learning rate, above 0; default 0.1. It rises over the first 5 % of the steps and falls as a cosine to 0.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>Momentum of the gradient step, in [0, 1); default 0.9.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>Weight decay on tensors of two axes and more, 0 and more; default 0.0001.</summary>
    public double WeightDecay { get; init; } = 1e-4;

    /// <summary>Longest gradient of all parameters together before it is scaled down, above 0; default 1.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Weight of the hierarchical group lasso, 0 and more; default 0, which orders the ranks and removes none.</summary>
    public double Lasso { get; init; }

    /// <summary>How the lasso acts; default <see cref="LassoStep.Proximal"/>.</summary>
    public LassoStep LassoStep { get; init; } = LassoStep.Proximal;

    /// <summary>A tail of ranks goes when the product of its factors' norms is at most this; default 1e-7, the paper's.</summary>
    public double ShrinkThreshold { get; init; } = 1e-7;

    /// <summary>The smallest share of the factored layers' MACs that the nested recipe trains, in (0, 1]; default 1/32.</summary>
    public double SmallestShare { get; init; } = 1.0 / 32;

    /// <summary>Seeds weights, shuffling and sampling; default 1. The same seed and thread count give the same run.</summary>
    public int Seed { get; init; } = 1;

    /// <exception cref="ArgumentException">The first value out of its range, named as on the command line.</exception>
    public TrainingOptions Checked()
    {
        Require(Epochs >= 1, "epochs", Epochs, "1 or more");
        Require(BatchSize >= 1, "batch-size", BatchSize, "1 or more");
        Require(LearningRate > 0 && double.IsFinite(LearningRate), "learning-rate", LearningRate, "above 0");
        Require(Momentum is >= 0 and < 1, "momentum", Momentum, "in [0, 1)");
        Require(WeightDecay >= 0 && double.IsFinite(WeightDecay), "weight-decay", WeightDecay, "0 or more");
        Require(ClipNorm > 0, "clip", ClipNorm, "above 0");
        Require(Lasso >= 0 && double.IsFinite(Lasso), "lasso", Lasso, "0 or more");
        Require(ShrinkThreshold >= 0, "shrink-threshold", ShrinkThreshold, "0 or more");
        Require(SmallestShare is > 0 and <= 1, "smallest-share", SmallestShare, "in (0, 1]");
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
