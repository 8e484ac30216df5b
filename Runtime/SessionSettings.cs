using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime;

/// <summary>How graphs are run: what a latency depends on besides the graph and the machine.</summary>
public sealed record SessionSettings
{
    // Far above any machine, and few enough that asking for it by mistake does no harm.
    const int MostThreads = 1024;

    /// <summary>What runs the graphs. Default: the processor.</summary>
    public Device Device { get; init; } = Device.Cpu;

    /// <summary>Threads within one operator, 1 to 1024. Default: the usable cores.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public int Threads
    {
        get;
        init => field = value is >= 1 and <= MostThreads
            ? value
            : throw new ArgumentOutOfRangeException(nameof(Threads), value, $"Threads must be 1 to {MostThreads}.");
    }
    = Math.Min(Environment.ProcessorCount, MostThreads);

    /// <summary>Whether idle threads spin for a millisecond, which answers sooner and burns the cores. Default: they do.</summary>
    public bool Spinning { get; init; } = true;

    /// <summary>Whether weights are rearranged at load: faster runs, but a private copy in memory. Default: they are.</summary>
    public bool Prepack { get; init; } = true;

    /// <summary>What a latency that is measured so is of.</summary>
    /// <param name="batch">Samples in one run, 1 or more.</param>
    /// <param name="openAxis">The size of every other axis that the graphs leave open; null where they leave none.</param>
    /// <exception cref="ArgumentException">A size is below 1.</exception>
    public RunConditions Use(int batch, int? openAxis) =>
        new() { Provider = Device.ToString(), Threads = Threads, Spinning = Spinning, Prepacked = Prepack, Batch = batch, OpenAxis = openAxis };
}
