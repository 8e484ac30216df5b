namespace MaestroDeploy.Runtime.Elastic;

/// <summary>How an <see cref="ElasticSession"/> runs a family.</summary>
public sealed record ElasticOptions
{
    /// <summary>Device and threads. Default: the processor, all usable cores, spinning, the active variant prepacked.</summary>
    public SessionSettings Settings { get; init; } = new();

    /// <summary>Whether the processor may stand in where the device is not to be had, which is then told. Default: it may not.</summary>
    public bool AllowFallback { get; init; }

    /// <summary>Samples in one run, 1 or more; fixed for the session. Default: 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int Batch { get; init => field = AtLeast(1, value, nameof(Batch)); } = 1;

    /// <summary>The size of every other axis that the graphs leave open, 1 or more; fixed for the session. Default: 16.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int OpenAxis { get; init => field = AtLeast(1, value, nameof(OpenAxis)); } = 16;

    /// <summary>Warm standbys on either side of the active variant, 0 or more. Default: 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int Standbys { get; init => field = AtLeast(0, value, nameof(Standbys)); } = 1;

    /// <summary>A folder on this device where prepacked weights are kept in files and mapped, such as <c>FAMILY.packed</c>; null to prepack the active variant in private memory.</summary>
    /// <remarks>
    /// Runs are as fast, and a variant takes 1 to 2 MB of private memory, active or not; standbys are prepacked too. The first session writes about twice
    /// a variant's weights for each, which takes longer than opening, and those after it map what is there. On the processor only.
    /// Default: null, since it takes disk.
    /// </remarks>
    public string? PackedFolder { get; init; }

    /// <summary>What metrics call this family, where a process runs several of one name; null for the name in its manifest, its folder's when it was exported. Default: null.</summary>
    public string? Name { get; init; }

    /// <summary>How the governor follows the load; null for a session that switches only when it is told to. Default: it follows.</summary>
    public GovernorRules? Governor { get; init; } = new();

    /// <summary>Windows that the log of decisions keeps, 1 or more. Default: 4096.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int LogCapacity { get; init => field = AtLeast(1, value, nameof(LogCapacity)); } = 4096;

    internal static int AtLeast(int least, int value, string name) =>
        value >= least ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} must be {least} or more.");
}
