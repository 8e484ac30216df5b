using System.Text.Json;
using System.Text.Json.Serialization;
using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Compressor.Training.Tasks;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Compressor.Training;

/// <summary>A run cannot go on from a checkpoint, which was left as it is.</summary>
/// <param name="path">The checkpoint's file.</param>
/// <param name="why">What was found, and what to do.</param>
public sealed class CheckpointException(string path, string why) : Exception($"{path}: {why}");

/// <summary>The state of a run on disk, renewed after each epoch: whole, or as it was before.</summary>
/// <remarks>
/// <c>checkpoint.onnx</c> is a <c>model.lod.onnx</c> with the moments, and whole the weights that it holds in half precision, as further
/// initializers, and the run's state as metadata: it opens in any ONNX tool, and its digest finds damage. <c>best.onnx</c> is the model of the
/// best epoch. A run that is stopped anywhere goes on from the last finished epoch and, in one thread, ends with the same bits.
/// </remarks>
/// <param name="folder">The run's folder.</param>
public sealed class Checkpoint(string folder)
{
    const string StateKey = "maestro.training", BesidePrefix = "maestro.beside/";

    static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    readonly string _path = Path.Combine(folder, "checkpoint.onnx"), _bestPath = Path.Combine(folder, "best.onnx");

    /// <summary>Whether there is one.</summary>
    public bool Exists => File.Exists(_path);

    /// <summary>Removes it, once a run has ended.</summary>
    public void Delete()
    {
        File.Delete(_path);
        File.Delete(_bestPath);
    }

    /// <summary>Begins another run where this one stands, under other options: those that it has not come to yet may differ.</summary>
    /// <param name="other">Where the other run is kept.</param>
    /// <param name="options">How it trains.</param>
    /// <exception cref="CheckpointException">There is a file, but no checkpoint in it.</exception>
    public void Branch(Checkpoint other, TrainingOptions options)
    {
        var lod = LodModel.Load(_path);
        var note = Read(lod.Model.Metadata(StateKey)) with { Options = options };
        if (note.State.BestEpoch > 0)
        {
            LodModel.Load(_bestPath).Save(other._bestPath);
        }

        lod.Model.SetMetadata(StateKey, JsonSerializer.Serialize(note, Json));
        lod.Save(other._path);
    }

    internal Kept? Load(LodModel start, TrainingOptions options, TrainingTask task)
    {
        if (!Exists)
        {
            return null;
        }

        var lod = LodModel.Load(_path);
        var note = Read(lod.Model.Metadata(StateKey));
        var plain = lod.CloneUnlabelled();
        plain.RemoveMetadata(StateKey);
        var beside = plain.Graph.Initializer.Where(tensor => tensor.Name.StartsWith(BesidePrefix, StringComparison.Ordinal)).ToList();
        foreach (var tensor in beside)
        {
            plain.Graph.Initializer.Remove(tensor);
        }

        var kept = new Kept(new LodModel(plain, lod.Pairs, lod.Provenance), beside, note.State, note.State.BestEpoch > 0 ? LodModel.Load(_bestPath) : null);
        return (Difference(kept.Model, start) ?? Difference(note, options, task.Description)) is { } difference
            ? throw OfAnotherRun(difference)
            : kept;
    }

    internal CheckpointException OfAnotherRun(string difference) => new(_path, $"it is of another run: {difference}. Give the options of that run, or train into another folder");

    internal void Save(TrainingRun run, LodModel? newBest, TrainingOptions options, TrainingTask task)
    {
        // The best model first: one that is newer than its checkpoint is written again, the same, when that epoch is.
        newBest?.Save(_bestPath);
        var model = run.Model();
        foreach (var (name, tensor) in run.Beside)
        {
            model.Model.Graph.Initializer.Add(NativeTensor.ToOnnx(BesidePrefix + name, tensor));
        }

        model.Model.SetMetadata(StateKey, JsonSerializer.Serialize(new Note(run.State, options, task.Description), Json));
        model.Save(_path);
    }

    Note Read(string? json)
    {
        try
        {
            return JsonSerializer.Deserialize<Note>(json ?? "null", Json) ?? throw new CheckpointException(_path, "it is a model, but not a checkpoint of a run; move it away");
        }
        catch (JsonException e)
        {
            throw new CheckpointException(_path, $"another version of maestro wrote it ({e.Message}); go on with that one, or train into another folder");
        }
    }

    static string? Difference(LodModel kept, LodModel start)
    {
        var (before, now) = (kept.Cost().Dense, start.Cost().Dense);
        return kept.Provenance.Model != start.Provenance.Model ? $"it is of the model {kept.Provenance.Model}, and this is {start.Provenance.Model}"
            : kept.Provenance.Scaling != start.Provenance.Scaling ? $"its samples were fed as {kept.Provenance.Scaling}, and here as {start.Provenance.Scaling}"
            : before != now ? FormattableString.Invariant($"its model has {before.Params:N0} parameters, and this one {now.Params:N0}")
            : null;
    }

    static string? Difference(Note note, TrainingOptions options, string task)
    {
        if (note.Task != task)
        {
            return $"it was trained on {note.Task}, and this is {task}";
        }

        using var before = JsonSerializer.SerializeToDocument(note.Options, Json);
        using var now = JsonSerializer.SerializeToDocument(options, Json);
        return before.RootElement.EnumerateObject().Zip(now.RootElement.EnumerateObject())
            .Where(pair => pair.First.Value.GetRawText() != pair.Second.Value.GetRawText())
            .Select(pair => $"its {pair.First.Name.Replace('_', '-')} is {pair.First.Value.GetRawText()}, and here {pair.Second.Value.GetRawText()}").FirstOrDefault();
    }

    sealed record Note(RunState State, TrainingOptions Options, string Task);

    /// <summary>What a checkpoint held.</summary>
    internal sealed record Kept(LodModel Model, IReadOnlyList<TensorProto> Beside, RunState State, LodModel? Best)
    {
        /// <summary>The run as it was.</summary>
        public TrainingRun Resume(TrainingTask task, TrainingOptions options)
        {
            var run = new TrainingRun(Model, task, options, State);
            foreach (var tensor in Beside)
            {
                run.Restore(tensor.Name[BesidePrefix.Length..], NativeTensor.From(Model.Model, tensor).DetachFromDisposeScope());
            }

            return run;
        }
    }
}
