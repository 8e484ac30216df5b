using System.CommandLine;
using MaestroDeploy.Data;

namespace MaestroDeploy.Cli.Commands;

/// <summary>The options that name the data of a run, and how its images are varied.</summary>
sealed class TrainingDataFlags
{
    readonly Option<string> _data = new("--data") { Description = $"What to train on: {string.Join(", ", NamedData.Forms)}.", Required = true };
    readonly Option<string?> _dataDir = SharedOptions.DataDir();
    readonly SampleFormatFlags _format = new();
    readonly Option<int> _crop = new("--crop") { Description = "Shift training images by up to that many pixels; default 0." };
    readonly Option<bool> _flip = new("--flip") { Description = "Mirror half of the training images." };

    public void AddTo(Command command)
    {
        command.Options.Add(_data);
        command.Options.Add(_dataDir);
        _format.AddTo(command);
        command.Options.Add(_crop);
        command.Options.Add(_flip);
    }

    public NamedData Data(ParseResult parsed) => NamedData.Load(parsed.GetValue(_data)!, parsed.GetValue(_dataDir), _format.Read(parsed));

    /// <summary>How training images are varied; null for not at all.</summary>
    public Augmentation? Augmentation(ParseResult parsed)
    {
        var augmentation = UsageException.Check(() => new Augmentation(parsed.GetValue(_crop), parsed.GetValue(_flip)));
        return augmentation == new Augmentation(0, false) ? null : augmentation;
    }
}
