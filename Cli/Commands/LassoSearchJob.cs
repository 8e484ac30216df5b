using System.Globalization;
using System.Text.Json.Serialization;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Data;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary>What <c>search.json</c> holds, renewed after each try, and what <c>search-lasso --json</c> prints.</summary>
/// <param name="From">The first weight.</param>
/// <param name="Tries">Every weight tried so far, from the largest down.</param>
/// <param name="TargetMacs">The largest share of the dense multiply-accumulates; absent where accuracy is the target.</param>
/// <param name="TargetAccuracy">The lowest validation accuracy; absent where the footprint is the target.</param>
/// <param name="Model">The chosen model's file; absent until the search has ended, as all that follows.</param>
/// <param name="IsMet">Whether it reaches the target.</param>
/// <param name="Lasso">The weight chosen.</param>
/// <param name="Accuracy">Share of right answers on the test split, of the file in ONNX Runtime.</param>
sealed record LassoSearchReport(
    double From, IReadOnlyList<LassoTry> Tries, double? TargetMacs = null, double? TargetAccuracy = null,
    string? Model = null, bool? IsMet = null, double? Lasso = null, double? Accuracy = null) : IVersioned
{
    /// <inheritdoc/>
    [JsonIgnore]
    public static int CurrentSchema => 1;

    /// <inheritdoc/>
    public int SchemaVersion { get; } = CurrentSchema;
}

/// <summary>Searches the lasso's weight and writes the search's folder: the table after each try, each try's run, the chosen model at the end.</summary>
/// <param name="folder">The search's folder.</param>
/// <param name="settings">Threads to train with, and how to run the chosen graph.</param>
/// <param name="terminal">Told of each try.</param>
/// <param name="cancellation">Stops the search; what is finished of it stays.</param>
sealed class LassoSearchJob(string folder, SessionSettings settings, Terminal terminal, CancellationToken cancellation)
{
    public const string TableFile = "search.json";

    readonly string _tablePath = Path.Combine(folder, TableFile);

    /// <summary>Searches for a target.</summary>
    /// <param name="model">The model that each try starts from.</param>
    /// <param name="name">What it is called: a built-in model's name, or a file.</param>
    /// <param name="data">What it learns.</param>
    /// <param name="options">How each try trains.</param>
    /// <param name="target">What is to be reached.</param>
    /// <param name="largest">The first weight.</param>
    /// <param name="most">Tries at the most.</param>
    /// <param name="augmentation">How training images are varied; null for not at all.</param>
    /// <param name="resume">Whether a search that was stopped here goes on.</param>
    /// <exception cref="CommandException">The folder cannot be used so.</exception>
    public LassoSearchReport Run(OnnxModel model, string name, NamedData data, TrainingOptions options, LassoTarget target, double largest, int most, Augmentation? augmentation, bool resume)
    {
        var report = Begin(new LassoSearchReport(largest, [], target.Macs, target.Accuracy), resume);
        TorchSharp.torch.set_num_threads(settings.Threads);
        var start = TrainingJob.Start(model, name, data);
        var (training, validation) = data.Tasks(options, augmentation);
        var found = new LassoSearch(options, target, largest, most).Run(start, training, validation!, folder, report.Tries, Keep,
            (number, epoch) => TrainingJob.WriteMetrics(LassoSearch.FolderOf(folder, number), epoch), Progress, cancellation);
        return End(report, found, data);

        void Keep(LassoTry tried, LodModel? trained)
        {
            trained?.Save(ModelOf(report.Tries.Count + 1));
            report = report with { Tries = [.. report.Tries, tried] };
            ProfilesJson.Write(_tablePath, report);
            Tell(tried);
        }
    }

    /// <summary>The table as a search that was stopped left it, or that of a new one.</summary>
    LassoSearchReport Begin(LassoSearchReport asked, bool resume)
    {
        OutputPaths.CheckFolder("--out", folder);
        var kept = File.Exists(_tablePath) ? ProfilesJson.Read<LassoSearchReport>(_tablePath) : null;
        if (!resume && (kept is not null || new Checkpoint(folder).Exists))
        {
            throw new CommandException($"--out {folder}: a search {(kept?.Model is null ? "was stopped here; add --resume to go on with it, or" : "has ended here;")} name another folder.");
        }

        if (kept?.Model is not null)
        {
            throw new CommandException($"--resume: the search in {folder} has ended; there is nothing to go on with.");
        }

        if (kept is not null && Aim(kept) != Aim(asked))
        {
            throw new CommandException($"--resume: the search in {folder} is {Aim(kept)}, and here it is {Aim(asked)}. Give the options of that search, or name another folder.");
        }

        foreach (var tried in kept?.Tries ?? [])
        {
            Tell(tried);
        }

        return kept ?? asked;
    }

    LassoSearchReport End(LassoSearchReport report, LassoSearchResult found, NamedData data)
    {
        var path = Path.Combine(folder, TrainingJob.ModelFile);
        FileBeside.Write(path, file =>
        {
            using var chosen = File.OpenRead(ModelOf(found.Chosen + 1));
            chosen.CopyTo(file);
        });
        terminal.Progress("measuring accuracy");
        using var session = EvaluationSession.Load(path, data.Evaluation, settings);
        var (lasso, accuracy) = (found.Tries[found.Chosen].Lasso, data.Measure(session, cancellation)!.Accuracy);
        report = report with { Model = path, IsMet = found.IsMet, Lasso = lasso, Accuracy = accuracy };
        ProfilesJson.Write(_tablePath, report);
        terminal.Say(string.Create(CultureInfo.InvariantCulture,
            $"{path}: λ {lasso:g4}{(found.IsMet ? "" : ", the nearest: none tried meets the target")}, accuracy {Units.Share(accuracy)} on {data.Name}, in ONNX Runtime"));
        return report;
    }

    string ModelOf(int number) => Path.Combine(LassoSearch.FolderOf(folder, number), TrainingJob.ModelFile);

    Reporter<TrainingProgress> Progress(int number) => new(at => terminal.Progress($"{(number == 0 ? "dense start" : $"try {number}")}, epoch {at.Epoch} of {at.Epochs}"));

    void Tell(LassoTry tried) => terminal.Say(string.Create(CultureInfo.InvariantCulture, $"λ {tried.Lasso:g4}  ") + (tried.Diverged
        ?? $"{Units.Share(tried.MacsShare)} of the MACs  validation {Units.Share(tried.ValidationAccuracy)}  {tried.Epochs} epochs{(tried.IsCutShort ? ", cut short" : "")}  ranks {string.Join(' ', tried.Ranks!.Values)}"));

    static string Aim(LassoSearchReport search) => FormattableString.Invariant(
        $"from {search.From} to {(search.TargetMacs is { } macs ? $"--target-macs {macs}" : $"--target-accuracy {search.TargetAccuracy}")}");
}
