using System.Globalization;
using System.Text.Json;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Compressor.Training.Tasks;
using MaestroDeploy.Data;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary>Trains a model and writes its run folder: metrics and a checkpoint after each epoch, the model at the end.</summary>
/// <param name="folder">The run's folder.</param>
/// <param name="settings">Threads to train with, and how to run the trained graph.</param>
/// <param name="terminal">Told of each epoch.</param>
/// <param name="cancellation">Stops the run; what is finished of it stays.</param>
sealed class TrainingJob(string folder, SessionSettings settings, Terminal terminal, CancellationToken cancellation)
{
    public const string ModelFile = "model.lod.onnx", MetricsFile = "metrics.jsonl", PlansFile = "plans.json";

    // One line of JSON an epoch, as JSON Lines readers expect.
    static readonly JsonSerializerOptions OneLine = new(ProfilesJson.Options) { WriteIndented = false };

    readonly string _modelPath = Path.Combine(folder, ModelFile), _plansPath = Path.Combine(folder, PlansFile);
    readonly Checkpoint _checkpoint = new(folder);

    /// <summary>Trains a dense model, or a factored one further.</summary>
    /// <param name="model">The model to start from.</param>
    /// <param name="name">What it is called: a built-in model's name, or a file.</param>
    /// <param name="data">What it learns.</param>
    /// <param name="options">How.</param>
    /// <param name="plans">What is trained in the place of random cuts, the best of each budget to the end; null for those.</param>
    /// <param name="augmentation">How training images are varied; null for not at all.</param>
    /// <param name="teacher">The model whose answers are learnt; null for the labels.</param>
    /// <param name="resume">Whether a run that was stopped here goes on.</param>
    /// <exception cref="CommandException">The folder cannot be used so.</exception>
    /// <exception cref="UsageException">Something that plans are trained with would change the ranks.</exception>
    public TrainingReport Run(OnnxModel model, string name, NamedData data, TrainingOptions options, PlanFile? plans = null, Augmentation? augmentation = null, Teacher? teacher = null, bool resume = false)
    {
        var result = Train(model, name, data, options, plans, augmentation, teacher, resume);
        if (plans is not null)
        {
            terminal.Say($"{_plansPath}: {Kept(result, plans)}");
        }

        return Report(name, data, result);
    }

    /// <summary>As <see cref="Run"/>, but neither measures the trained model nor tells of it.</summary>
    public TrainingResult Train(OnnxModel model, string name, NamedData data, TrainingOptions options, PlanFile? plans, Augmentation? augmentation, Teacher? teacher, bool resume = false)
    {
        options = plans is null ? options : ForPlans(options, plans);
        CheckRun(resume);
        TorchSharp.torch.set_num_threads(settings.Threads);
        var start = Start(model, name, data);
        Check(plans, start);
        var (training, validation) = data.Tasks(options, augmentation, teacher);
        if (data.LeftOut is { } leftOut)
        {
            terminal.Say(leftOut);
        }

        AskTeacher(training, start, data);
        var result = new Trainer(options).Train(start, training, validation, _checkpoint, epoch =>
        {
            WriteMetrics(folder, epoch);
            Tell(epoch);
        }, new Reporter<TrainingProgress>(Tell), cancellation: cancellation);

        result.Model.Save(_modelPath);
        if (plans is not null)
        {
            ProfilesJson.Write(_plansPath, new PlanFile(FileHash.Sha256Of(_modelPath), plans.Cost, [.. result.Plans!.Select(i => plans.Plans[i])]));
        }

        _checkpoint.Delete();
        return result;
    }

    /// <summary>A model as a run starts from it: its pairs where it has been factored, and what it is to be trained on.</summary>
    public static LodModel Start(OnnxModel model, string name, NamedData data)
    {
        var pairs = LodModel.IsLod(model) ? LodModel.Of(model).Pairs : [];
        data.Prepare(model);
        model.InlineData(); // checkpoints and the trained model are files of their own
        model.OpenBatchAxis(); // others' models are often exported at a batch of one
        return new LodModel(model, pairs, new LodProvenance(Model: Path.GetFileName(name), Data: data.Name, Scaling: data.Scaling));
    }

    /// <summary>The same training, of some plans in the place of random cuts.</summary>
    static TrainingOptions ForPlans(TrainingOptions options, PlanFile file)
    {
        var plans = file.Plans.Select(planned => new TrainedPlan(planned.Budget,
            planned.Plan.Layers.Where(layer => !layer.Value.IsDense).ToDictionary(layer => layer.Key, layer => layer.Value.Components!.Value)));
        return UsageException.Check(() => (options with { Sampling = Sampling.Plans, Plans = [.. plans] }).Checked());
    }

    /// <summary>How many plans were trained to the end.</summary>
    public static string Kept(TrainingResult result, PlanFile plans) =>
        $"{result.Plans!.Count} plans{(result.Plans.Count < plans.Plans.Count ? $", kept of {plans.Plans.Count} by how they could be trained" : "")}"
        + (result.BestEpoch > 0 ? "" : "; no epoch was better by them than the model as it was, which is kept: a lower --learning-rate may help");

    /// <summary>Makes sure that plans are of a model's layers.</summary>
    static void Check(PlanFile? plans, LodModel model)
    {
        var layers = model.Pairs.Select(pair => pair.Layer).ToArray();
        if (plans?.Plans[0].Plan.Layers.Keys.Except(layers).FirstOrDefault() is { } unknown)
        {
            throw new CommandException($"--plans: they name layer '{unknown}', which is not among the model's factored layers: {string.Join(", ", layers)}.");
        }
    }

    void AskTeacher(TrainingTask training, LodModel start, NamedData data)
    {
        if (training is not DistillationTask taught)
        {
            return;
        }

        terminal.Progress("asking the teacher");
        taught.Check(start);
        if (taught.TeacherAccuracy is { } accuracy)
        {
            terminal.Say($"the teacher is right on {Units.Share(accuracy)} of {taught.Name}");
            if (data.Doubt(accuracy) is { } doubt)
            {
                terminal.Error(doubt);
            }
        }
    }

    TrainingReport Report(string name, NamedData data, TrainingResult result)
    {
        terminal.Progress("measuring accuracy");
        using var session = EvaluationSession.Load(_modelPath, data.Evaluation, settings);
        var quality = data.Measure(session, cancellation);
        var perplexity = quality?.Perplexity is { } value ? $", perplexity {value.ToString("0.00", CultureInfo.InvariantCulture)}" : "";
        var answers = quality is null ? "" : $", accuracy {Units.Share(quality.Accuracy)}{perplexity} on {quality.Samples:N0} samples of {quality.Data}, in ONNX Runtime";
        terminal.Say($"{_modelPath}: {(result.BestEpoch > 0 ? $"epoch {result.BestEpoch}" : "as it was")}{answers}");
        var lod = result.Model;
        var ranks = lod.Pairs.ToDictionary(pair => pair.Layer, pair => pair.TrueRank(lod.Model));
        var cost = lod.Cost().At([.. ranks.Values]);
        return new TrainingReport(name, result.Epochs.Count, cost.Params, cost.Macs, ranks, result.BestEpoch, quality?.Accuracy, quality?.Perplexity);
    }

    void Tell(EpochMetrics epoch)
    {
        var trained = epoch.TrainAccuracy is { } right ? $"  training {Units.Share(right)}" : "";
        var validated = epoch.ValidationAccuracy is { } accuracy ? $"  validation {Units.Share(accuracy)}"
            : epoch.ValidationLoss is { } loss ? string.Create(CultureInfo.InvariantCulture, $"  validation loss {loss:0.0000}") : "";
        terminal.Say(string.Create(CultureInfo.InvariantCulture,
            $"epoch {epoch.Epoch,3}  loss {epoch.Loss:0.000}{trained}{validated}  {Units.Count(epoch.Macs)} MACs  {epoch.Seconds:0.0} s"));
    }

    void Tell(TrainingProgress at) => terminal.Progress(at.Trial is var (plan, plans) ? $"trying plan {plan} of {plans}" : $"epoch {at.Epoch} of {at.Epochs}", string.Create(CultureInfo.InvariantCulture,
        $"step {at.Step} of {at.Steps}, loss {at.Loss:0.000}, {at.SamplesPerSecond:N0} samples/s, {Left(at.Remaining)} left"));

    static string Left(TimeSpan time) => time < TimeSpan.FromMinutes(1) ? $"{time.Seconds} s" : time < TimeSpan.FromHours(1) ? $"{time:m\\:ss} min" : $"{(int)time.TotalHours}:{time:mm} h";

    /// <summary>Makes sure that no run has ended in a folder: what hours made is not replaced without a word.</summary>
    /// <exception cref="CommandException">One has.</exception>
    public static void CheckUnfinished(string folder)
    {
        if (File.Exists(Path.Combine(folder, ModelFile)) && !new Checkpoint(folder).Exists)
        {
            throw new CommandException($"--out {folder}: a run has ended here, and {ModelFile} is what it came to; name another folder, or delete this one.");
        }
    }

    void CheckRun(bool resume)
    {
        OutputPaths.CheckFolder("--out", folder);
        if (_checkpoint.Exists && !resume)
        {
            throw new CommandException($"--out {folder}: a run was stopped here; add --resume to go on with it, or name another folder.");
        }

        if (resume && !_checkpoint.Exists && File.Exists(_modelPath))
        {
            throw new CommandException($"--resume: the run in {folder} has ended; there is nothing to go on with.");
        }
    }

    /// <summary>Renews a run's metrics: with an epoch in the place of all that was told from there on before the run was stopped.</summary>
    public static void WriteMetrics(string folder, EpochMetrics epoch)
    {
        var path = Path.Combine(folder, MetricsFile);
        string[] lines = [.. epoch.Epoch == 1 ? [] : File.ReadLines(path).Take(epoch.Epoch - 1), JsonSerializer.Serialize(epoch, OneLine)];
        FileBeside.Write(path, file =>
        {
            using var writer = new StreamWriter(file, leaveOpen: true);
            Array.ForEach(lines, writer.WriteLine);
        });
    }
}
