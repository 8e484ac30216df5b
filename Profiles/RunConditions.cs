namespace MaestroDeploy.Profiles;

/// <summary>How a family is run: what a latency depends on besides the graphs and the machine.</summary>
public sealed record RunConditions
{
    /// <summary><c>cpu</c> or <c>cuda:N</c>.</summary>
    public required string Provider { get; init => field = Check.Provider(value); }

    /// <summary>Threads within one operator, 1 or more.</summary>
    public required int Threads { get; init => field = Check.AtLeast(1, value); }

    /// <summary>Whether idle threads spin. Default: they do.</summary>
    public bool Spinning { get; init; } = true;

    /// <summary>Whether weights are rearranged at load. Default: they are.</summary>
    public bool Prepacked { get; init; } = true;

    /// <summary>Samples in one run, 1 or more. Default: 1.</summary>
    public int Batch { get; init => field = Check.AtLeast(1, value); } = 1;

    /// <summary>The size of every other axis that the graphs leave open; null where they leave none.</summary>
    public int? OpenAxis { get; init => field = value is { } size ? Check.AtLeast(1, size) : null; }
}
