using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Elastic;

namespace MaestroDeploy.Hosting;

/// <summary>Which family a host runs, and for what: the part of its configuration that <c>AddElasticModel</c> reads.</summary>
/// <remarks>Settable, since configuration is bound to it; it is read once, when the host starts.</remarks>
public sealed class ElasticModelOptions
{
    /// <summary>The family's folder. Required.</summary>
    public string Folder { get; set; } = "";

    /// <summary>A latency profile to rely on; null for the one beside the family or, without one, a calibration at start.</summary>
    public string? Profile { get; set; }

    /// <summary>The longest latency wanted; null for none, and then the variant never changes by itself.</summary>
    public TimeSpan? MaxLatency { get; set; }

    /// <summary>The percentile that the latency holds for: 50, 90 or 95. Default: 90.</summary>
    public int Percentile { get; set; } = 90;

    /// <summary>The lowest accuracy wanted, in 0..1; null for any. The load never leads below it.</summary>
    public double? MinAccuracy { get; set; }

    /// <summary>The most bytes that a variant's files may have; null for any.</summary>
    public long? MaxBytes { get; set; }

    /// <summary>The most private memory that a loaded variant may take, in bytes; null for any.</summary>
    public long? MaxMemoryBytes { get; set; }

    /// <summary><c>cpu</c> or <c>cuda:N</c>. Default: <c>cpu</c>.</summary>
    public string Device { get; set; } = "cpu";

    /// <summary>Whether the processor may stand in where the device is not to be had; the health check then says so. Default: it may not.</summary>
    public bool AllowFallback { get; set; }

    /// <summary>Threads within one operator; null for the usable cores.</summary>
    public int? Threads { get; set; }

    /// <summary>Whether idle threads spin, which answers sooner and burns the cores. Default: they do, as in a profile made by default.</summary>
    public bool Spinning { get; set; } = true;

    /// <summary>Whether the active variant's weights are prepacked; without it a variant takes little memory, and is slower where a batch has more than one sample. Default: they are.</summary>
    public bool Prepack { get; set; } = true;

    /// <summary>A folder where prepacked weights are kept in files and mapped: little memory at full speed, for disk; null to prepack in memory. See <see cref="ElasticOptions.PackedFolder"/>.</summary>
    public string? PackedFolder { get; set; }

    /// <summary>Samples in one run. Default: 1.</summary>
    public int Batch { get; set; } = 1;

    /// <summary>The size of every other axis that the graphs leave open. Default: 16.</summary>
    public int OpenAxis { get; set; } = 16;

    /// <summary>What is asked of a variant.</summary>
    /// <exception cref="ArgumentException">A value is out of its range.</exception>
    internal ServiceLevel Level() => new()
    {
        MaxLatency = MaxLatency,
        Percentile = Percentile,
        MinAccuracy = MinAccuracy,
        MaxBytes = MaxBytes,
        MaxMemoryBytes = MaxMemoryBytes,
    };

    /// <summary>How it is run.</summary>
    /// <param name="key">The family's name in the host; empty for the only one.</param>
    /// <exception cref="ArgumentException">A value is out of its range.</exception>
    internal ElasticOptions Elastic(string key)
    {
        var settings = new SessionSettings { Device = Runtime.Device.Parse(Device), Spinning = Spinning, Prepack = Prepack };
        return new ElasticOptions
        {
            Settings = Threads is { } threads ? settings with { Threads = threads } : settings,
            AllowFallback = AllowFallback,
            Batch = Batch,
            OpenAxis = OpenAxis,
            PackedFolder = PackedFolder,
            Name = key.Length > 0 ? key : null,
        };
    }
}
