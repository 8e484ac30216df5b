using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Compressor.Training.Optimization;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Cli.Commands;

/// <summary>The options that say how to train: a recipe, and what to change in it.</summary>
sealed class TrainingFlags
{
    // What happens when a dense model is factored, and never to one that is factored already.
    static readonly string[] Factoring = ["--dense-epochs", "--rank-share", "--skip-first", "--skip-last", "--layers"];

    readonly List<(Option Option, Func<ParseResult, TrainingOptions, TrainingOptions> Change)> _flags = [];

    readonly Option<string> _recipe = new("--recipe")
    {
        Description = "What to start from: nested trains whole families; tune is for models that are trained already; paper is Maestro's Algorithm 1; pufferfish and dense are baselines.",
        DefaultValueFactory = _ => Recipes.Nested,
    };

    public TrainingFlags()
    {
        _recipe.AcceptOnlyFromAmong([.. Recipes.Names]);
        Add<int>("--epochs", "Passes over the training split; default 10, of tune 4.", (options, value) => options with { Epochs = value });
        Add<int>("--batch-size", "Samples a step; default 64, of paper and tune 128.", (options, value) => options with { BatchSize = value });
        AddName<Sampling>("--sampling", "The ranks that a step trains: nested, single-layer, independent or none; --plans samples those of a file.", (options, value) => options with { Sampling = value }, except: Sampling.Plans);
        Add<double>("--smallest-share", "The smallest share that nested sampling trains; default 1/16, of tune 0.2.", (options, value) => options with { SmallestShare = value });
        Add<double>("--logarithmic", "The probability that a nested share is drawn log-uniformly, not uniformly.", (options, value) => options with { Logarithmic = value });
        Add<bool>("--full-pass", "Whether each step also trains the model at full ranks: true or false.", (options, value) => options with { FullPass = value });
        Add<bool>("--soft-targets", "Whether the full pass teaches the cut ones, not the labels: true or false.", (options, value) => options with { SoftTargets = value });
        Add<double>("--label-weight", "Beside a teacher, the share of the loss that is taken from the labels, where there are labels; default 0, of tune 0.5.", (options, value) => options with { LabelWeight = value });
        AddName<OptimizerKind>("--optimizer", "sgd or adam-w.", (options, value) => options with { Optimizer = value });
        Add<double>("--learning-rate", "The peak.", (options, value) => options with { LearningRate = value });
        AddName<ScheduleKind>("--schedule", "cosine, constant, step or inverse-square-root.", (options, value) => options with { Schedule = value });
        Add<double>("--warm-up", "Share of the steps over which the rate rises.", (options, value) => options with { WarmUp = value });
        Add<double>("--momentum", "Of sgd.", (options, value) => options with { Momentum = value });
        Add<double>("--weight-decay", "On tensors of two axes and more.", (options, value) => options with { WeightDecay = value });
        Add<bool>("--decay-all", "Whether decay acts on biases and norms too: true or false.", (options, value) => options with { DecaysAll = value });
        Add<double>("--clip", "The longest gradient before it is scaled down.", (options, value) => options with { ClipNorm = value });
        Add<double>("--label-smoothing", "Share of a label's probability that is spread over all classes.", (options, value) => options with { LabelSmoothing = value });
        Add<double>("--lasso", "Weight of the group lasso; above 0 it removes ranks.", (options, value) => options with { Lasso = options.Lasso with { Weight = value } });
        AddName<LassoGroups>("--lasso-groups", "tails is the paper's hierarchical lasso; rows the plain one.", (options, value) => options with { Lasso = options.Lasso with { Groups = value } });
        AddName<LassoStep>("--lasso-step", "proximal makes exact zeros; subgradient is the paper's code.", (options, value) => options with { Lasso = options.Lasso with { Step = value } });
        AddName<LassoWeighting>("--lasso-weighting", "even is the paper's; macs takes ranks where they cost most.", (options, value) => options with { Lasso = options.Lasso with { Weighting = value } });
        Add<double>("--lasso-until", "Share of the run over which the lasso acts; default 1.", (options, value) => options with { Lasso = options.Lasso with { Until = value } });
        Add<double>("--shrink-threshold", "The importance at which a tail of ranks goes.", (options, value) => options with { ShrinkThreshold = value });
        Add<int>("--dense-epochs", "First epochs, trained dense before the switch to factors.", (options, value) => options with { DenseShare = (double)value / options.Epochs });
        Add<double>("--rank-share", "Share of each full rank that is kept when a layer is factored.", (options, value) => options with { RankShare = value });
        Add<int>("--skip-first", "Layers at the start that stay dense.", (options, value) => options with { Layers = options.Layers with { SkipFirst = value } });
        Add<int>("--skip-last", "Layers at the end that stay dense.", (options, value) => options with { Layers = options.Layers with { SkipLast = value } });
        Add<string>("--layers", "Patterns of the layers to factor, such as conv*,fc1.", (options, value) => options with { Layers = options.Layers with { Names = value.Split(',') } });
        Add<double>("--validation", "Share of the training split held out to choose the best epoch by; default 0.05.", (options, value) => options with { Validation = value });
        Add<int>("--seed", "Seeds weights, batches and sampling.", (options, value) => options with { Seed = value });
    }

    /// <summary>Adds the options to a verb.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_recipe);
        foreach (var (option, _) in _flags)
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The recipe with what the command line changes in it.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="hasTeacher">Whether there is a teacher.</param>
    /// <param name="hasPlans">Whether plans are trained in the place of shares.</param>
    /// <param name="hasLasso">Whether there is a lasso, though no option gives it a weight.</param>
    /// <exception cref="UsageException">A value is out of its range, or does nothing beside the others.</exception>
    public TrainingOptions Read(ParseResult parsed, bool hasTeacher = false, bool hasPlans = false, bool hasLasso = false)
    {
        var options = UsageException.Check(() => _flags.Where(flag => IsGiven(parsed, flag.Option.Name))
            .Aggregate(Recipes.Named(parsed.GetValue(_recipe)!), (options, flag) => flag.Change(parsed, options)).Checked());
        var (name, why) = Idle(options, hasTeacher, hasPlans, hasLasso || IsGiven(parsed, "--lasso")).FirstOrDefault(idle => IsGiven(parsed, idle.Name));
        return name is null ? options : throw new UsageException($"{name} does nothing {why}; leave it out.");
    }

    static IEnumerable<(string Name, string Why)> Idle(TrainingOptions options, bool hasTeacher, bool hasPlans, bool hasLasso) =>
    [
        .. When(options.Optimizer != OptimizerKind.Sgd, "without --optimizer sgd", "--momentum"),
        .. When(hasPlans, "beside --plans", "--sampling", "--smallest-share", "--logarithmic"),
        .. When(options.Sampling != Sampling.Nested, "without --sampling nested", "--smallest-share", "--logarithmic"),
        .. When(!hasTeacher, "without --teacher", "--label-weight"),
        .. When(!hasLasso, "without --lasso", "--lasso-groups", "--lasso-step", "--lasso-weighting", "--lasso-until", "--shrink-threshold"),
    ];

    static IEnumerable<(string Name, string Why)> When(bool holds, string why, params string[] names) => holds ? names.Select(name => (name, why)) : [];

    // A bool that nobody gave is there too, as false.
    static bool IsGiven(ParseResult parsed, string name) => parsed.GetResult(name) is OptionResult { Implicit: false };

    /// <summary>Makes sure that nothing was asked for that only happens when a dense model is factored.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="model">The model to train.</param>
    /// <exception cref="UsageException">It was, and the model carries factors already.</exception>
    public void Check(ParseResult parsed, OnnxModel model)
    {
        if (!LodModel.IsLod(model) || LodModel.Of(model).Pairs.Count == 0)
        {
            return;
        }

        var recipe = parsed.GetValue(_recipe)!;
        var isOfFactoring = Recipes.Named(recipe) is { DenseShare: 1 } or { RankShare: < 1 }; // a recipe that is hardly anything else
        var idle = Factoring.FirstOrDefault(name => IsGiven(parsed, name)) ?? (isOfFactoring ? $"--recipe {recipe}" : null);
        if (idle is not null)
        {
            throw new UsageException($"{idle} says how a dense model is factored, and {model.Name} carries factors already; leave it out, or start from the dense model.");
        }
    }

    void Add<T>(string name, string description, Func<TrainingOptions, T, TrainingOptions> change)
    {
        var option = new Option<T>(name) { Description = description };
        if (option is Option<double> number)
        {
            number.CustomParser = SharedOptions.Parse(SharedOptions.Number);
        }

        _flags.Add((option, (parsed, options) => change(options, parsed.GetValue(option)!)));
    }

    void AddName<T>(string name, string description, Func<TrainingOptions, T, TrainingOptions> change, T? except = null)
        where T : struct, Enum
    {
        var named = Enum.GetValues<T>().Where(value => !value.Equals(except)).ToDictionary(value => JsonNamingPolicy.KebabCaseLower.ConvertName($"{value}"));
        var option = new Option<T>(name) { Description = description, HelpName = string.Join('|', named.Keys), CustomParser = SharedOptions.Parse(text => Of(text, named)) };
        _flags.Add((option, (parsed, options) => change(options, parsed.GetValue(option))));
    }

    static T Of<T>(string text, Dictionary<string, T> named) =>
        named.TryGetValue(text, out var value) ? value : throw new FormatException($"there is {string.Join(", ", named.Keys)}; found '{text}'.");
}
