using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli;

/// <summary>Options that several verbs take, and how their texts become values.</summary>
static class SharedOptions
{
    /// <summary>One JSON document on stdout instead of tables; progress stays on stderr.</summary>
    public static Option<bool> Json { get; } = new("--json") { Description = "Print one JSON document on stdout.", Recursive = true };

    /// <summary>How to run graphs.</summary>
    /// <exception cref="UsageException">The number of threads is out of its range.</exception>
    public static SessionSettings Settings(Device device, int threads) => UsageException.Check(() => new SessionSettings { Device = device, Threads = threads });

    /// <summary>How to run graphs on a device, or on the processor where the device is not to be had and that is allowed; told on stderr.</summary>
    /// <exception cref="UsageException">The number of threads is out of its range.</exception>
    public static SessionSettings Settings(Device device, int threads, bool allowFallback, Terminal terminal)
    {
        var resolved = DeviceFallback.Resolve(Settings(device, threads), allowFallback);
        if (resolved.FellBackBecause is { } reason)
        {
            terminal.Error($"on cpu instead of {device}: {reason}");
        }

        return resolved.Settings;
    }

    public static Option<string?> DataDir() => new("--data-dir") { Description = "Where the public data sets lie; only there are they looked for." };

    public static Option<Device> OnDevice() => new("--device")
    {
        Description = "cpu or cuda:N.",
        DefaultValueFactory = _ => Device.Cpu,
        CustomParser = Parse(Device.Parse),
    };

    public static Option<bool> AllowFallback() => new("--allow-fallback")
    {
        Description = "Run on cpu, and say so, where the device is not to be had.",
    };

    public static Option<int> Threads() => new("--threads")
    {
        Description = "Threads within one operator; default: the usable cores.",
        DefaultValueFactory = _ => new SessionSettings().Threads,
    };

    public static Option<TimeSpan?> MaxLatency() => new("--max-latency")
    {
        Description = "The longest latency allowed, with its unit: 800us, 5ms, 1s.",
        CustomParser = Parse<TimeSpan?>(text => Latency(text)),
    };

    public static Option<int> Percentile() => new("--percentile")
    {
        Description = "The percentile that the limit holds for: 50, 90 or 95.",
        DefaultValueFactory = _ => 90,
        CustomParser = Parse(text => text is "50" or "90" or "95"
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : throw new FormatException($"A percentile is 50, 90 or 95; found '{text}'.")),
    };

    public static Option<double?> MinAccuracy(string description = "The lowest accuracy allowed, 0 to 1.") => new("--min-accuracy")
    {
        Description = description,
        CustomParser = Parse<double?>(text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var share) && share is >= 0 and <= 1
            ? share
            : throw new FormatException($"An accuracy is a share from 0 to 1; found '{text}'.")),
    };

    public static Option<long?> MaxBytes(string name, string what) => new(name)
    {
        Description = $"{what}, with its unit: 800kB, 4MB, 1GB.",
        CustomParser = Parse<long?>(text => Bytes(text)),
    };

    /// <summary>Has an option name only files that are there: checked before anything is done, and told by the option's name and what it describes.</summary>
    public static Option<T> OfFiles<T>(this Option<T> option)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => !File.Exists(token.Value)) is { } missing)
            {
                result.AddError($"{option.Name}: there is no file '{missing.Value}'. Wanted: {option.Description}");
            }
        });
        return option;
    }

    /// <summary>A parser that reports what a conversion refuses as wrong usage.</summary>
    public static Func<ArgumentResult, T> Parse<T>(Func<string, T> convert) => result =>
    {
        try
        {
            return convert(string.Join(',', result.Tokens.Select(token => token.Value)));
        }
        catch (Exception e) when (e is FormatException or ArgumentException or OverflowException)
        {
            result.AddError($"{(result.Parent as OptionResult)?.Option.Name}: {e.Message}");
            return default!;
        }
    };

    /// <summary>A number with a point, whatever the place: a comma is no part of it, and is not passed over.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static double Number(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        ? number
        : throw new FormatException($"A number is written as 0.01 or 1e-2; found '{text}'.");

    /// <summary>A time with its unit: us, µs, ms or s.</summary>
    /// <exception cref="FormatException">No number, no unit, or not above 0.</exception>
    public static TimeSpan Latency(string text) => WithUnit(text, [("us", 1), ("µs", 1), ("ms", 1e3), ("s", 1e6)]) is { } microseconds and > 0 and < 1e12
        ? TimeSpan.FromMicroseconds(microseconds)
        : throw new FormatException($"A latency is a number with its unit, such as 800us, 5ms or 1s; found '{text}'.");

    /// <summary>A size with its unit: B, kB, MB or GB, by the thousand.</summary>
    /// <exception cref="FormatException">No number, no unit, or less than a byte.</exception>
    public static long Bytes(string text) => WithUnit(text, [("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("B", 1)]) is { } bytes and >= 1 and < 1e15
        ? (long)bytes
        : throw new FormatException($"A size is a number with its unit, such as 800kB, 4MB or 1GB; found '{text}'.");

    /// <summary>A number times the first unit that ends its text; null where there is no number or no unit.</summary>
    static double? WithUnit(string text, ReadOnlySpan<(string Unit, double Scale)> units)
    {
        foreach (var (unit, scale) in units)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal))
            {
                return double.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
                    ? number * scale
                    : null;
            }
        }

        return null;
    }
}
