using System.CommandLine;
using MaestroDeploy.Compressor.Factoring;

namespace MaestroDeploy.Cli.Commands;

/// <summary>The options that say which layers are factored.</summary>
sealed class LayerFlags
{
    readonly Option<int> _first = new("--skip-first") { Description = "Layers at the start that stay dense." };
    readonly Option<int> _last = new("--skip-last") { Description = "Layers at the end that stay dense." };
    readonly Option<string?> _names = new("--layers") { Description = "Patterns of the layers to factor, such as conv*,fc1." };

    public void AddTo(Command command)
    {
        command.Options.Add(_first);
        command.Options.Add(_last);
        command.Options.Add(_names);
    }

    /// <exception cref="UsageException">A number is negative.</exception>
    public LayerChoice Read(ParseResult parsed)
    {
        var (first, last) = (parsed.GetValue(_first), parsed.GetValue(_last));
        return first >= 0 && last >= 0
            ? new LayerChoice(first, last, parsed.GetValue(_names)?.Split(',') ?? [])
            : throw new UsageException($"--skip-first and --skip-last are 0 and more; found {first} and {last}.");
    }
}
