namespace MaestroDeploy.Runtime.Elastic;

/// <summary>How a <see cref="Governor"/> follows the load: fast down, slow up.</summary>
public sealed record GovernorRules
{
    /// <summary>Runs that close a window, 30 or more: fewer have no 90th percentile worth the name. Default: 64.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public int WindowRuns { get; init => field = ElasticOptions.AtLeast(30, value, nameof(WindowRuns)); } = 64;

    /// <summary>Windows in a row that must miss the limit before a step down, 1 or more; after one step the next miss is enough. Default: 2.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public int MissesToStepDown { get; init => field = ElasticOptions.AtLeast(1, value, nameof(MissesToStepDown)); } = 2;

    /// <summary>Windows in a row in which the next larger variant must be expected to fit before a step up, 1 or more. Default: 8.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public int CalmToStepUp { get; init => field = ElasticOptions.AtLeast(1, value, nameof(CalmToStepUp)); } = 8;

    /// <summary>The most windows that a step up is ever put off: each step up that fails doubles the wait. Default: 1024.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int LongestWait { get; init => field = ElasticOptions.AtLeast(1, value, nameof(LongestWait)); } = 1024;

    /// <summary>
    /// The share of the limit within which a variant larger than the selected one must be expected, in (0, 1]. The selected
    /// one itself was measured to fit, and may use the whole limit. Default: 0.9.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside its range.</exception>
    public double Headroom
    {
        get;
        init => field = value is > 0 and <= 1
            ? value
            : throw new ArgumentOutOfRangeException(nameof(Headroom), value, "Headroom is a share in (0, 1].");
    }
    = 0.9;
}
