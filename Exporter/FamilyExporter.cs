using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Exporter.Slicing;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter;

/// <summary>Makes a family of one trained model: plans, cuts, recalibrates, writes, and checks each graph as it will be deployed.</summary>
public sealed class FamilyExporter
{
    /// <summary>The words of a family of language models, one a line.</summary>
    public const string VocabularyFile = "vocabulary.txt";

    readonly ExportOptions _options;
    readonly SessionSettings _settings;
    readonly TimeProvider _clock;

    /// <param name="options">What to cut; null for the defaults.</param>
    /// <param name="settings">How to run graphs while they are checked; null for the defaults.</param>
    /// <param name="clock">Dates the manifest; null for the system's.</param>
    public FamilyExporter(ExportOptions? options = null, SessionSettings? settings = null, TimeProvider? clock = null)
    {
        _options = options ?? new ExportOptions();
        _settings = settings ?? new SessionSettings();
        _clock = clock ?? TimeProvider.System;
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.Variants ?? 1, 1);
        if (_options.Budgets.Count == 0)
        {
            throw new ArgumentException("A family needs at least one budget.", nameof(options));
        }
    }

    /// <summary>Makes sure that a family can be written to a folder, before anyone waits for it.</summary>
    /// <exception cref="ExportException">It holds something else, or an accuracy is asked for where there is nothing to measure it on.</exception>
    public void Check(string folder, EvaluationData? data)
    {
        FamilyFolder.Check(folder);
        if (_options.MinAccuracy is not null && data is not { GivesScores: true })
        {
            throw new ExportException("An accuracy can only be asked for where there is data to measure it on.");
        }
    }

    /// <summary>Writes a family.</summary>
    /// <param name="source">A <c>model.lod.onnx</c>.</param>
    /// <param name="folder">The folder to write: absent, empty, or an older family, which is replaced whole.</param>
    /// <param name="data">Calibrates BatchNorm, measures accuracy, and is what outputs are compared on; null compares them on random inputs and leaves the rest undone.</param>
    /// <param name="progress">Told at each stage of each graph; null for no one.</param>
    /// <param name="cancellation">Checked between stages and batches; nothing is left behind.</param>
    /// <exception cref="OnnxFormatException">The source cannot be used.</exception>
    /// <exception cref="ExportException">The folder holds something else, the data does not fit, a graph failed its check, or none reaches the accuracy asked for.</exception>
    public FamilyManifest Export(string source, string folder, EvaluationData? data = null, IProgress<ExportProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        Check(folder, data);
        var lod = Load(source);
        using var output = new FamilyFolder(folder);
        var cutter = new PlanCutter(lod);
        using var planner = PlannerOf(source, lod, cutter, data, output.Scratch, progress);
        var planned = planner.Plan(cancellation);
        var job = new ExportJob(_options, _settings, lod, cutter, data ?? new RandomInputs(), output, progress, planned.Count + 1, cancellation);

        var uncut = PlannedVariant.Dense(lod.Cost());
        var dense = _options.Original is { } original && Before(original, lod) is var whole
            ? job.WriteDense(PlannedVariant.Dense(whole.Cost()), whole)
            : job.WriteDense(uncut, lod);
        if (_options.MinAccuracy is { } floor)
        {
            planned = new AccuracySearch(floor, job.AccuracyOf, (share, smaller) => planner.For(share, smaller, cancellation), planner.ShareOf).Reaching(planned, uncut);
        }

        planner.Dispose(); // what it probed with takes as much memory as the model
        var variants = job.WriteVariants(planned);
        job.WriteVocabulary();
        var manifest = Describe(source, folder, lod, job.Signature, dense, variants, output.Staging);
        cancellation.ThrowIfCancellationRequested();
        ProfilesJson.Write(Path.Combine(output.Staging, FamilyManifest.FileName), manifest);
        output.Commit();
        return manifest;
    }

    /// <summary>Every plan found for each budget and nothing else, so that a model can be trained for them before it is cut: training keeps one a budget.</summary>
    /// <param name="source">A <c>model.lod.onnx</c>.</param>
    /// <param name="data">What layers are probed on; null for random inputs.</param>
    /// <param name="progress">Told what is being done; null for no one.</param>
    /// <param name="cancellation">Checked between runs.</param>
    /// <exception cref="OnnxFormatException">The source cannot be used.</exception>
    /// <exception cref="ExportException">The data or the layer latencies do not fit.</exception>
    public PlanFile Candidates(string source, EvaluationData? data = null, IProgress<ExportProgress>? progress = null, CancellationToken cancellation = default)
    {
        var lod = Load(source);
        using var scratch = new ScratchFolder();
        using var planner = PlannerOf(source, lod, new PlanCutter(lod), data, scratch.Path, progress);
        return Chain(FileHash.Sha256Of(source), planner.Candidates(cancellation).Select(plan => new BudgetedPlan(plan.Budget.Share, plan.Plan)));
    }

    /// <summary>The plans that a family came to, for a model to be trained for them or to be cut to them again.</summary>
    /// <param name="manifest">A family that was exported with these options.</param>
    public PlanFile PlansOf(FamilyManifest manifest) =>
        Chain(manifest.Provenance.SourceSha256, manifest.Variants.Select(variant => new BudgetedPlan(variant.Budget!.Value, variant.Plan!)));

    // A run's checkpoint is a model.lod.onnx too, whose dense start may not have ended.
    static LodModel Load(string source) => LodModel.Load(source) is { Pairs.Count: > 0 } lod
        ? lod
        : throw new ExportException($"{source}: no layer of it is factored yet; let its training go on ('maestro train --resume'), or factor it ('maestro decompose').");

    /// <summary>What a model was before it was tuned.</summary>
    static LodModel Before(string original, LodModel lod)
    {
        var before = LodModel.Load(original);
        var (was, now) = (Layers(before), Layers(lod));
        return was.SetEquals(now) ? before : throw new ExportException(
            $"{original}: it is not what the model was before it was tuned: its layers are {string.Join(", ", was.Order().Take(5))}, and the model's {string.Join(", ", now.Order().Take(5))}.");

        static HashSet<string> Layers(LodModel model) => [.. model.Pairs.Select(pair => $"{pair.Layer} [{string.Join(", ", pair.DenseShape)}]")];
    }

    PlanFile Chain(string sourceSha256, IEnumerable<BudgetedPlan> plans) =>
        new(sourceSha256, _options.Unit.ToString().ToLowerInvariant(), [.. plans.OrderByDescending(plan => plan.Budget)]);

    Planner PlannerOf(string source, LodModel lod, PlanCutter cutter, EvaluationData? data, string scratch, IProgress<ExportProgress>? progress)
    {
        var inputs = data ?? new RandomInputs();
        var options = _options with { Search = _options.Search ?? Suited(lod, data) };
        return new Planner(lod, cutter, new ErrorTables(source, lod.Cost(), inputs), inputs, options, _settings, scratch, doing => progress?.Report(new ExportProgress(doing, 0, 0)));
    }

    /// <summary>The search for who names none: a model that was trained to be cut by one share is cut so; layers of others are probed where there is data.</summary>
    PlanSearch Suited(LodModel lod, EvaluationData? data) => _options.Unit switch
    {
        BudgetUnit.Ranks when _options.Plans is null => PlanSearch.Uniform,
        BudgetUnit.Latency => PlanSearch.Frontier,
        _ => data is not null && (_options.Plans is not null || lod.Provenance.IsDecomposed) ? PlanSearch.Frontier : PlanSearch.Uniform,
    };

    FamilyManifest Describe(
        string source, string folder, LodModel lod, (IReadOnlyList<TensorSignature> Inputs, IReadOnlyList<TensorSignature> Outputs) signature, Variant dense,
        IReadOnlyList<Variant> variants, string staging)
    {
        var made = lod.Provenance;
        var provenance = new Provenance
        {
            Source = Path.GetFileName(source),
            SourceSha256 = FileHash.Sha256Of(source),
            Model = made.Model,
            Data = made.Data,
            Scaling = made.Scaling,
            Recipe = made.Recipe,
            Seed = made.Seed,
            Epochs = made.Epochs,
            CreatedBy = $"maestro {typeof(FamilyExporter).Assembly.GetName().Version!.ToString(3)}",
            CreatedUtc = _clock.GetUtcNow(),
        };
        var layers = lod.Pairs.Select(pair => new FactoredLayer(pair.Layer, pair.Kind == LayerKind.Conv ? FactoredLayer.Convolution : FactoredLayer.Linear, pair.Out, pair.In, pair.Rank(lod.Model)));
        return new FamilyManifest(
            Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))), (int)lod.Model.Proto.IrVersion, (int)lod.Model.Opset,
            signature.Inputs, signature.Outputs, [.. layers], provenance,
            [.. Directory.GetFiles(staging).Order(StringComparer.Ordinal).Select(FileHash.Of)], dense, variants);
    }
}
