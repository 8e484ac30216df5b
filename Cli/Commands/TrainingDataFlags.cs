using System.CommandLine;
using MaestroDeploy.Data;

namespace MaestroDeploy.Cli.Commands;

/// <summary>The options that name the data of a run, and how its images are varied.</summary>
/// <param name="allowsInputs">Whether inputs without labels will do.</param>
sealed class TrainingDataFlags(bool allowsInputs = false)
{
    readonly Option<string?> _data = new("--data") { Description = $"What to train on: {string.Join(", ", NamedData.Forms)}.", Required = !allowsInputs };
    readonly Option<string?> _inputs = new("--inputs") { Description = "Instead of --data, inputs without labels for a teacher to answer: npz:FILE with an array for each input of the model, by its name." };
    readonly Option<string?> _dataDir = SharedOptions.DataDir();
    readonly SampleFormatFlags _format = new();
    readonly AugmentationFlags _augmentation = new();

    public void AddTo(Command command)
    {
        command.Options.Add(_data);
        if (allowsInputs)
        {
            command.Options.Add(_inputs);
        }

        command.Options.Add(_dataDir);
        _format.AddTo(command);
        _augmentation.AddTo(command);
    }

    /// <exception cref="UsageException">Neither or both are named, or one names nothing.</exception>
    public NamedData Data(ParseResult parsed) => (parsed.GetValue(_data), allowsInputs ? parsed.GetValue(_inputs) : null) switch
    {
        (null, { } inputs) => _format.Data(parsed, null, null) ?? NamedData.Unlabelled(inputs),
        ({ } data, null) => _format.Data(parsed, data, parsed.GetValue(_dataDir))!,
        _ => throw new UsageException("What to train on is named by --data, or by --inputs where a teacher answers; give one of them."),
    };

    /// <summary>How training images are varied; null for not at all.</summary>
    public Augmentation? Augmentation(ParseResult parsed) => _augmentation.Read(parsed);
}
