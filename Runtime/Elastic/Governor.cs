namespace MaestroDeploy.Runtime.Elastic;

/// <summary>What one window of runs led to.</summary>
public enum GovernorDecision
{
    /// <summary>The variant stays.</summary>
    Stay,

    /// <summary>The next faster variant takes over.</summary>
    StepDown,

    /// <summary>The next larger variant takes over.</summary>
    StepUp,
}

/// <summary>All that a <see cref="Governor"/> remembers from one window to the next.</summary>
/// <param name="Rung">The active variant's place on the ladder, 0 for the largest.</param>
/// <param name="Missed">Windows in a row that missed the limit.</param>
/// <param name="Calm">Windows in a row in which the next larger variant was expected to fit.</param>
/// <param name="Wait">Calm windows wanted before the next step up.</param>
/// <param name="Trial">Windows for which the last step up still has to prove itself; 0 once it has.</param>
public readonly record struct GovernorState(int Rung, int Missed, int Calm, int Wait, int Trial);

/// <summary>Decides, window by window, which variant a load allows. It has no clock and no memory: the same state and the same observation decide the same.</summary>
/// <remarks>
/// <para>A window over the limit is a miss; enough misses in a row step down, one rung at a time, each to a variant that is already warm.</para>
/// <para>
/// A window within the limit tells the load, as observed over expected latency. While the next larger variant would fit under
/// that load the windows are calm, and enough of them in a row step up. A step up that ends in a step down within its trial
/// doubles the wait for the next, so that a steady load, however near the limit, does not make it oscillate; a trial
/// that is passed sets the wait back.
/// </para>
/// </remarks>
/// <param name="rules">How many windows it takes.</param>
/// <param name="ladder">The variants it may use, the slowest first; at least one.</param>
/// <param name="home">The selected variant's place on the ladder.</param>
/// <param name="limitUs">The latency limit in microseconds.</param>
public sealed class Governor(GovernorRules rules, IReadOnlyList<Rung> ladder, int home, double limitUs)
{
    /// <summary>The state to begin in: on the selected variant.</summary>
    public GovernorState Start => At(home);

    /// <summary>The state of having just been put on a rung.</summary>
    /// <param name="rung">Its place on the ladder.</param>
    public GovernorState At(int rung) => new(rung, 0, 0, rules.CalmToStepUp, 0);

    /// <summary>The decision on one window.</summary>
    /// <param name="state">What is remembered.</param>
    /// <param name="observedUs">The percentile of the window's latencies, in microseconds.</param>
    public (GovernorDecision Decision, GovernorState State) Next(GovernorState state, double observedUs) =>
        observedUs > limitUs ? Miss(state) : Keep(state, observedUs);

    (GovernorDecision, GovernorState) Miss(GovernorState state)
    {
        var missed = Math.Min(state.Missed + 1, rules.MissesToStepDown);
        if (missed < rules.MissesToStepDown || state.Rung == ladder.Count - 1)
        {
            return (GovernorDecision.Stay, state with { Missed = missed, Calm = 0 });
        }

        var wait = state.Trial > 0 ? Math.Min(2 * state.Wait, rules.LongestWait) : state.Wait;
        return (GovernorDecision.StepDown, new GovernorState(state.Rung + 1, rules.MissesToStepDown - 1, 0, wait, 0));
    }

    (GovernorDecision, GovernorState) Keep(GovernorState state, double observedUs)
    {
        var (trial, wait) = state.Trial == 1 ? (0, rules.CalmToStepUp) : (Math.Max(0, state.Trial - 1), state.Wait);
        var calm = MayGrow(state.Rung, observedUs) ? state.Calm + 1 : 0;
        return calm >= wait && trial == 0
            ? (GovernorDecision.StepUp, new GovernorState(state.Rung - 1, 0, 0, wait, rules.CalmToStepUp))
            : (GovernorDecision.Stay, new GovernorState(state.Rung, 0, calm, wait, trial));
    }

    bool MayGrow(int rung, double observedUs)
    {
        if (rung == 0)
        {
            return false;
        }

        var larger = rung - 1;
        var load = observedUs / ladder[rung].ExpectedUs;
        return load * ladder[larger].ExpectedUs <= limitUs * (larger >= home ? 1 : rules.Headroom);
    }
}
