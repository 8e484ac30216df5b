using MaestroDeploy.Compressor.Training.Optimization;

namespace MaestroDeploy.Compressor.Training;

/// <summary>Named settings of <see cref="TrainingOptions"/> to start from.</summary>
public static class Recipes
{
    /// <summary>Trains whole families: the default.</summary>
    public const string Nested = "nested";

    /// <summary>Fine-tunes a model that is trained already.</summary>
    public const string Tune = "tune";

    static readonly (string Name, Func<TrainingOptions> Make)[] Known =
    [
        (Nested, () => new TrainingOptions()),
        (Tune, () => new TrainingOptions
        {
            Recipe = Tune,
            DenseShare = 0,
            SmallestShare = 0.2, // few epochs, spent on the budgets that a model is mostly cut to
            LabelWeight = 0.5, // many a published model is trained for something else too, or has seen too little of its data
            Epochs = 4,
            BatchSize = 128,
            Optimizer = OptimizerKind.AdamW,
            LearningRate = 0.002,
            WarmUp = 0.1,
            WeightDecay = 0,
        }),
        ("paper", () => new TrainingOptions
        {
            // Maestro's Algorithm 1 with its LeNet settings; its CIFAR-10 ones are --schedule step --weight-decay 1e-4.
            Recipe = "paper",
            Sampling = Sampling.SingleLayer,
            FullPass = false,
            SoftTargets = false,
            DenseShare = 0,
            BatchSize = 128,
            LearningRate = 0.01,
            Schedule = ScheduleKind.Constant,
            WarmUp = 0,
            WeightDecay = 0,
            ClipNorm = double.PositiveInfinity,
        }),
        ("pufferfish", () => new TrainingOptions { Recipe = "pufferfish", Sampling = Sampling.None, RankShare = 0.25 }),
        ("dense", () => new TrainingOptions { Recipe = "dense", Sampling = Sampling.None, DenseShare = 1 }),
    ];

    /// <summary>nested, tune (a few epochs at a low rate), paper, pufferfish (a quarter of each rank, after a dense start) and dense (factored at its end).</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Select(recipe => recipe.Name)];

    /// <summary>The settings of a recipe.</summary>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static TrainingOptions Named(string name) => Known.FirstOrDefault(recipe => recipe.Name == name).Make?.Invoke()
        ?? throw new ArgumentException($"There is no recipe '{name}'; there are {string.Join(", ", Names)}.");
}
