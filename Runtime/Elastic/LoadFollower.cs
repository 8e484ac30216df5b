namespace MaestroDeploy.Runtime.Elastic;

/// <summary>Feeds a governor with a session's runs, window by window, does what it decides, and keeps the log.</summary>
/// <remarks>Without rules or a latency limit it only keeps the place on the ladder. Several threads may use it.</remarks>
sealed class LoadFollower
{
    readonly GovernorRules _rules;
    readonly IReadOnlyList<Rung> _ladder;
    readonly int _home;
    readonly ServiceLevel _level;
    readonly TimeProvider _clock;
    readonly Action<int, string> _move;
    readonly long _opened;
    readonly Governor? _governor;
    readonly double _limitUs;

    readonly Lock _gate = new(); // guards what follows, and held while a variant is changed
    readonly LatencyWindow _window;
    readonly GovernorRecorder _log;
    GovernorState _state;
    bool _missesLimit;

    /// <param name="options">The governor's rules and the log's size.</param>
    /// <param name="level">The limit and its percentile.</param>
    /// <param name="ladder">The variants that may be used, the slowest first.</param>
    /// <param name="home">The selected variant's place on the ladder.</param>
    /// <param name="clock">Dates the windows.</param>
    /// <param name="move">Makes the variant of a rung active, for a reason; may throw <see cref="RuntimeException"/>.</param>
    public LoadFollower(ElasticOptions options, ServiceLevel level, IReadOnlyList<Rung> ladder, int home, TimeProvider clock, Action<int, string> move)
    {
        (_rules, _level, _ladder, _home, _clock, _move) = (options.Governor ?? new GovernorRules(), level, ladder, home, clock, move);
        _opened = clock.GetTimestamp();
        _limitUs = level.MaxLatency?.TotalMicroseconds ?? double.PositiveInfinity;
        _governor = options.Governor is { } rules && level.MaxLatency is not null ? new Governor(rules, ladder, home, _limitUs) : null;
        _state = new Governor(_rules, ladder, home, _limitUs).Start;
        _window = new LatencyWindow(_rules.WindowRuns, level.Percentile);
        _log = new GovernorRecorder(options.LogCapacity);
    }

    /// <summary>Whether the active variant's last full window missed the limit; of one that has just taken over nothing is known.</summary>
    public bool MissesLimit => Volatile.Read(ref _missesLimit);

    /// <summary>The log so far.</summary>
    public GovernorLog Log()
    {
        lock (_gate)
        {
            return new GovernorLog(_rules, _ladder, _home, _level.MaxLatency?.TotalMicroseconds ?? 0, _level.Percentile, _log.ToArray());
        }
    }

    /// <summary>Takes one run in.</summary>
    /// <param name="rung">The place of the variant that answered.</param>
    /// <param name="microseconds">How long it took.</param>
    /// <param name="disturbed">Whether variants were being loaded meanwhile.</param>
    /// <returns>Whether this run filled a window that missed the limit.</returns>
    public bool Observe(int rung, double microseconds, bool disturbed)
    {
        if (_governor is null)
        {
            return false;
        }

        lock (_gate)
        {
            if (disturbed || rung != _state.Rung)
            {
                _window.Clear(); // by our own loading, or of another variant: no sign of the load
                return false;
            }

            return _window.Add(microseconds) is { } observedUs && Decide(observedUs);
        }
    }

    /// <summary>Makes the variant of a rung active because someone asked for it.</summary>
    /// <exception cref="ModelException">It cannot be loaded.</exception>
    public void SwitchTo(int rung)
    {
        lock (_gate)
        {
            _move(rung, "asked for");
            _window.Clear();
            Volatile.Write(ref _missesLimit, false);
            _state = new Governor(_rules, _ladder, _home, _limitUs).At(rung);
        }
    }

    bool Decide(double observedUs)
    {
        var before = _state;
        (var decision, _state) = _governor!.Next(before, observedUs);
        _log.Add(new GovernorEntry(_clock.GetElapsedTime(_opened).TotalMilliseconds, _rules.WindowRuns, observedUs, before, decision, _state));
        if (decision != GovernorDecision.Stay)
        {
            try
            {
                _move(_state.Rung, decision == GovernorDecision.StepDown ? "the limit was missed" : "the load allows it");
            }
            catch (Exception e) when (e is RuntimeException or ObjectDisposedException)
            {
                _state = _governor.At(before.Rung); // it cannot be loaded any more; the run at hand has its answer all the same
            }
        }

        var missed = observedUs > _limitUs;
        Volatile.Write(ref _missesLimit, missed && _state.Rung == before.Rung);
        return missed;
    }
}
