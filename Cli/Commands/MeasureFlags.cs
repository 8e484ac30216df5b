using System.CommandLine;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary>The options of what a latency is measured at, and for how long.</summary>
/// <param name="takesLong">Whether it may be asked for a long measurement.</param>
sealed class MeasureFlags(bool takesLong = false)
{
    readonly Option<int> _batch = new("--batch") { Description = "Samples in one run.", DefaultValueFactory = _ => 1 };

    readonly Option<int> _openAxis = new("--open-axis")
    {
        Description = "The size of every other axis that the graphs leave open, such as a text's length.",
        DefaultValueFactory = _ => new MeasureOptions().OpenAxis,
    };

    readonly Option<bool> _full = new("--full") { Description = "1,024 samples a variant and a minute at least, instead of 64 and 3 seconds." };

    /// <summary>The options.</summary>
    public IReadOnlyList<Option> Options => takesLong ? [_batch, _openAxis, _full] : [_batch, _openAxis];

    /// <exception cref="UsageException">A size is out of its range.</exception>
    public MeasureOptions Read(ParseResult parsed) => UsageException.Check(() => new MeasureOptions
    {
        Batch = parsed.GetValue(_batch),
        OpenAxis = parsed.GetValue(_openAxis),
        Mode = takesLong && parsed.GetValue(_full) ? MeasureMode.Full : MeasureMode.Quick,
    });
}
