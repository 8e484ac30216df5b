using System.CommandLine;
using MaestroDeploy.Data;

namespace MaestroDeploy.Cli.Commands;

/// <summary>The options that say how training images are varied.</summary>
sealed class AugmentationFlags
{
    readonly Option<int> _crop = new("--crop") { Description = "Shift training images by up to that many pixels; default 0." };
    readonly Option<bool> _flip = new("--flip") { Description = "Mirror half of the training images." };

    public void AddTo(Command command)
    {
        command.Options.Add(_crop);
        command.Options.Add(_flip);
    }

    /// <summary>How images are varied; null for not at all.</summary>
    /// <exception cref="UsageException">A value is out of its range.</exception>
    public Augmentation? Read(ParseResult parsed)
    {
        var augmentation = UsageException.Check(() => new Augmentation(parsed.GetValue(_crop), parsed.GetValue(_flip)));
        return augmentation == new Augmentation(0, false) ? null : augmentation;
    }
}
