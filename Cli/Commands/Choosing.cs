using System.CommandLine;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary>The options and the steps that <c>select</c> and <c>run</c> share: open a family, find its profile, choose.</summary>
/// <param name="what">What stands first on the command line, in words.</param>
sealed class Choosing(string what = "A family's folder.")
{
    readonly Argument<string> _family = new("family") { Description = what };
    readonly Option<TimeSpan?> _maxLatency = SharedOptions.MaxLatency();
    readonly Option<int> _percentile = SharedOptions.Percentile();
    readonly Option<double?> _minAccuracy = SharedOptions.MinAccuracy();
    readonly Option<long?> _maxSize = SharedOptions.MaxBytes("--max-size", "The most that a variant's graph and weights may take");
    readonly Option<long?> _maxMemory = SharedOptions.MaxBytes("--max-memory", "The most private memory that a loaded variant may take");
    readonly Option<bool> _calibrate = new("--calibrate") { Description = "Measure now, in some seconds, the few variants that this choice needs." };
    readonly Option<string?> _profile = new Option<string?>("--profile") { Description = "A latency profile, of this or another device; default: what 'profile' wrote for this one." }.OfFiles();
    readonly SessionFlags _session = new();
    readonly MeasureFlags _measure = new();

    public void AddTo(Command command)
    {
        command.Arguments.Add(_family);
        foreach (var option in Choices)
        {
            command.Options.Add(option);
        }

        _session.AddTo(command);
    }

    /// <summary>What a choice depends on, and one graph does not.</summary>
    Option[] Choices => [_maxLatency, _percentile, _minAccuracy, _maxSize, _maxMemory, _calibrate, _profile, .. _measure.Options];

    /// <exception cref="CommandException">There is no profile that holds for this device and use.</exception>
    public Choice Choose(ParseResult parsed, Terminal terminal, CancellationToken cancellation)
    {
        var family = Family.Open(parsed.GetValue(_family)!);
        var settings = _session.Settings(parsed, terminal);
        var level = UsageException.Check(() => new ServiceLevel
        {
            MaxLatency = parsed.GetValue(_maxLatency),
            Percentile = parsed.GetValue(_percentile),
            MinAccuracy = parsed.GetValue(_minAccuracy),
            MaxBytes = parsed.GetValue(_maxSize),
            MaxMemoryBytes = parsed.GetValue(_maxMemory),
        });
        var profile = parsed.GetValue(_calibrate) ? Calibrated(family, settings, level, parsed, terminal, cancellation)
            : parsed.GetValue(_profile) is { } file ? Given(family, file, settings, parsed, terminal)
            : Found(family, settings, parsed);
        return new Choice(family, settings, Choose(family, profile, level));
    }

    /// <summary>One graph in a family's stead, and how to run it; null where the command line names no file.</summary>
    /// <exception cref="UsageException">An option asks to choose where there is nothing to choose from.</exception>
    public (string Path, SessionSettings Settings)? Graph(ParseResult parsed, Terminal terminal)
    {
        var path = parsed.GetValue(_family)!;
        if (!File.Exists(path))
        {
            return null;
        }

        return Choices.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } asked
            ? throw new UsageException($"{asked.Name} is for a family; {path} is one graph.")
            : (path, _session.Settings(parsed, terminal));
    }

    public static SelectionReport Choose(Family family, LatencyProfile profile, ServiceLevel level)
    {
        var chosen = VariantSelector.Select(family.Manifest, profile, level);
        return new SelectionReport(VariantReport.Of(chosen.Variant, chosen.Latency), chosen.Fits, chosen.Reason, level.Percentile,
            level.MaxLatency?.TotalMicroseconds, level.MinAccuracy, level.MaxBytes, level.MaxMemoryBytes);
    }

    LatencyProfile Calibrated(
        Family family, SessionSettings settings, ServiceLevel level, ParseResult parsed, Terminal terminal, CancellationToken cancellation)
    {
        if (parsed.GetValue(_profile) is not null)
        {
            throw new UsageException("--calibrate measures and --profile reads what was measured; give one of them.");
        }

        var options = _measure.Read(parsed);
        var profile = new LatencyMeter().Calibrate(family, settings, level, options, Profiling.Progress(terminal), cancellation);
        terminal.Say($"{Profiling.Kept(() => ProfileStore.Beside(family).Save(profile), terminal)}: measured {string.Join(", ", profile.Variants.Select(variant => variant.Id))}");
        return profile;
    }

    LatencyProfile Found(Family family, SessionSettings settings, ParseResult parsed)
    {
        var options = _measure.Read(parsed);
        var stored = ProfileStore.Beside(family).Find(family, DeviceProbe.Read(), settings, options.Batch, options.OpenAxis);
        return stored.Profile ?? throw new CommandException($"{stored.Problem} Run 'maestro profile {parsed.GetValue(_family)}' with the same --device, --threads, --batch, --open-axis, --no-spinning and --no-prepacking, or give --calibrate.");
    }

    // It may be of another device, for which the choice is made here; but who runs here should know.
    LatencyProfile Given(Family family, string file, SessionSettings settings, ParseResult parsed, Terminal terminal)
    {
        var profile = ProfilesJson.Read<LatencyProfile>(file);
        if (profile.FamilySha256 != family.Sha256)
        {
            throw new CommandException($"{file}: it was measured on another family, or on this one before it was exported again; run 'maestro profile' anew.");
        }

        var options = _measure.Read(parsed);
        var use = settings.Use(options.Batch, family.Manifest.LeavesAxesOpen ? options.OpenAxis : null);
        if (profile.StaleBecause(family.Sha256, DeviceProbe.Read(), use) is { } difference)
        {
            terminal.Error($"{file} says what was measured there, not what is to be had here: {difference}");
        }

        return profile;
    }

    /// <summary>What was chosen.</summary>
    /// <param name="Family">The family.</param>
    /// <param name="Settings">How to run it: with the device that is really to be had.</param>
    /// <param name="Selection">The variant, and why.</param>
    public sealed record Choice(Family Family, SessionSettings Settings, SelectionReport Selection);
}
