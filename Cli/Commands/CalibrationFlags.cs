using System.CommandLine;
using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Data;
using MaestroDeploy.Exporter.Evaluation;

namespace MaestroDeploy.Cli.Commands;

/// <summary>The options that name what a model is watched on: a data set with its labels, inputs without, or random ones.</summary>
sealed class CalibrationFlags
{
    const string Random = "random";

    readonly Option<string?> _data = new("--data") { Description = $"What the model is for: {string.Join(", ", NamedData.Forms)}." };
    readonly Option<string?> _dataDir = SharedOptions.DataDir();
    readonly SampleFormatFlags _format = new();
    readonly Option<string?> _inputs = Inputs();
    readonly Option<int> _samples = new("--calibration-samples") { Description = "Samples that the layers are watched on.", DefaultValueFactory = _ => 4096 };
    readonly Option<bool?> _follow = new("--follow-outputs") { Description = "Whether a layer's answers count by what the outputs make of them, not all alike: true or false; default true." };
    readonly Option<bool> _centred = new("--centred") { Description = "A layer's answers count by how they vary, and a fifth by its weights: for a model that is trained once it is cut to a small budget." };

    public static Option<string?> Inputs() => new("--inputs")
    {
        Description = $"Inputs without labels, instead of --data: {NamedData.Archive}FILE with an array for each graph input, by its name, or {Random}.",
    };

    /// <summary>What --inputs names; null where it is not given.</summary>
    /// <exception cref="UsageException">It names nothing.</exception>
    /// <exception cref="DataFormatException">The file that it names cannot be read, or its arrays do not go together.</exception>
    public static EvaluationData? Unlabelled(string? spec) => spec switch
    {
        null => null,
        Random => new RandomInputs(),
        _ => NamedData.Unlabelled(spec).Evaluation,
    };

    /// <exception cref="UsageException">Both are given.</exception>
    public static void CheckOne(string? data, string? inputs)
    {
        if (data is not null && inputs is not null)
        {
            throw new UsageException("--data and --inputs both say what the model is run on; give one of them.");
        }
    }

    public void AddTo(Command command)
    {
        command.Options.Add(_data);
        command.Options.Add(_dataDir);
        _format.AddTo(command);
        command.Options.Add(_inputs);
        command.Options.Add(_samples);
        command.Options.Add(_follow);
        command.Options.Add(_centred);
    }

    /// <exception cref="UsageException">The options do not go together, or one of them names nothing.</exception>
    public CalibrationSource Read(ParseResult parsed)
    {
        var (data, inputs, samples) = (parsed.GetValue(_data), parsed.GetValue(_inputs), parsed.GetValue(_samples));
        CheckOne(data, inputs);
        if (samples < 1)
        {
            throw new UsageException($"--calibration-samples is 1 and more; found {samples}.");
        }

        Option[] idle = data is not null ? [] : inputs is not null ? [_dataDir] : [_dataDir, _samples, _follow, _centred];
        if (idle.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } given)
        {
            throw new UsageException($"{given.Name} is of what the model is run on, and {(inputs is null ? "neither --data nor --inputs names anything" : "--inputs needs none")}; leave it out.");
        }

        var named = _format.Data(parsed, data, parsed.GetValue(_dataDir)) ?? (inputs is null or Random ? null : NamedData.Unlabelled(inputs));
        return new CalibrationSource(named, named?.Evaluation ?? Unlabelled(inputs), samples, parsed.GetValue(_follow) ?? true, parsed.GetValue(_centred));
    }
}

/// <summary>What a model is watched on.</summary>
/// <param name="Data">A data set, or inputs without labels; null where there are neither.</param>
/// <param name="Evaluation">Its inputs, or random ones; null where nothing was named.</param>
/// <param name="Samples">How many of them, 1 and more.</param>
/// <param name="FollowOutputs">Whether a layer's answers count by what the outputs make of them.</param>
/// <param name="Centred">Whether they count by how they vary, for a model that is trained once it is cut.</param>
sealed record CalibrationSource(NamedData? Data, EvaluationData? Evaluation, int Samples, bool FollowOutputs = true, bool Centred = false)
{
    /// <summary>Some random batches.</summary>
    public static CalibrationInputs Random => Batches(new RandomInputs(), samples: 2);

    /// <summary>The batches to watch layers on; null where there are none.</summary>
    public CalibrationInputs? Inputs => Evaluation is null ? null : Batches(Evaluation, Samples);

    static CalibrationInputs Batches(EvaluationData data, int samples) =>
        (session, largestBatch) => data.Calibration(session, samples, largestBatch).Select(batch => batch.Inputs);
}
