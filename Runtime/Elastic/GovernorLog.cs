namespace MaestroDeploy.Runtime.Elastic;

/// <summary>One window and what it led to.</summary>
/// <param name="AtMs">When the window closed, in milliseconds since the session was opened.</param>
/// <param name="Runs">Runs in the window.</param>
/// <param name="ObservedUs">The percentile of their latencies, in microseconds.</param>
/// <param name="Before">What the governor remembered.</param>
/// <param name="Decision">What it decided. A step to a variant that cannot be loaded is not made: the next entry begins where this one did.</param>
/// <param name="After">What it then remembered.</param>
public readonly record struct GovernorEntry(
    double AtMs, int Runs, double ObservedUs, GovernorState Before, GovernorDecision Decision, GovernorState After);

/// <summary>A governor's last decisions with all that they were made from, so that they can be made again elsewhere.</summary>
/// <param name="Rules">The governor's rules.</param>
/// <param name="Ladder">The variants it could use, the slowest first.</param>
/// <param name="Home">The selected variant's place on the ladder.</param>
/// <param name="LimitUs">The latency limit in microseconds.</param>
/// <param name="Percentile">The percentile that was observed: 50, 90 or 95.</param>
/// <param name="Entries">The windows, oldest first; those that the log had no room for are gone.</param>
public sealed record GovernorLog(
    GovernorRules Rules, IReadOnlyList<Rung> Ladder, int Home, double LimitUs, int Percentile, IReadOnlyList<GovernorEntry> Entries)
{
    /// <summary>Makes every decision again.</summary>
    /// <returns>The first entry that comes out otherwise; null when all agree.</returns>
    public GovernorEntry? FirstDisagreement()
    {
        var governor = new Governor(Rules, Ladder, Home, LimitUs);
        foreach (var entry in Entries)
        {
            if (governor.Next(entry.Before, entry.ObservedUs) != (entry.Decision, entry.After))
            {
                return entry;
            }
        }

        return null;
    }
}

/// <summary>Keeps the last entries in memory that is taken once.</summary>
sealed class GovernorRecorder(int capacity)
{
    readonly GovernorEntry[] _entries = new GovernorEntry[capacity];
    long _count;

    public void Add(GovernorEntry entry) => _entries[_count++ % _entries.Length] = entry;

    /// <summary>The entries kept, oldest first.</summary>
    public GovernorEntry[] ToArray()
    {
        var kept = (int)Math.Min(_count, _entries.Length);
        return [.. Enumerable.Range(0, kept).Select(i => _entries[(_count - kept + i) % _entries.Length])];
    }
}
