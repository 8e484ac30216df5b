using MaestroDeploy.Runtime;

namespace MaestroDeploy.Tests.Runtime;

[TestClass]
public sealed class MeasureProtocolTests
{
    static readonly TimeSpan Window = TimeSpan.FromMilliseconds(100);

    readonly FakeClock _clock = new();

    [TestMethod]
    public void WarmUp_SteadyFromTheStart_TakesTwoWindowsOfAHundredMilliseconds()
    {
        var (runs, settled) = Full().WarmUp(_clock.Run(_ => 1_000), CancellationToken.None);

        Assert.IsTrue(settled);
        Assert.AreEqual(200, runs);
    }

    [TestMethod]
    public void WarmUp_SlowRuns_TakesTenAtLeast()
    {
        var (runs, settled) = Full().WarmUp(_clock.Run(_ => 200_000), CancellationToken.None);

        Assert.IsTrue(settled);
        Assert.AreEqual(10, runs);
    }

    [TestMethod]
    public void WarmUp_SlowAtFirst_GoesOnUntilTwoWindowsAgree()
    {
        // 50 runs of 2 ms fill the first window, 100 of 1 ms each of the next two.
        var (runs, settled) = Full().WarmUp(_clock.Run(run => run < 50 ? 2_000 : 1_000), CancellationToken.None);

        Assert.IsTrue(settled);
        Assert.AreEqual(250, runs);
    }

    [TestMethod]
    [DataRow(MeasureMode.Quick, 0.5)]
    [DataRow(MeasureMode.Full, 10)]
    public void WarmUp_NeverSteady_EndsAtTheCapAndSaysSo(MeasureMode mode, double seconds)
    {
        var slower = _clock.Run(_ => (long)(1_000 * Math.Pow(1.03, _clock.Now / Window))); // 3 % a window

        var (_, settled) = MeasureProtocol.Of(mode, _clock).WarmUp(slower, CancellationToken.None);

        Assert.IsFalse(settled);
        Assert.AreEqual(seconds, _clock.Now.TotalSeconds, 0.1); // the last run may pass the cap
    }

    [TestMethod]
    public void Sample_FastRuns_GoOnForTheShortestTime()
    {
        var (samples, rounds) = Quick().Sample([_clock.Run(_ => 10), _clock.Run(_ => 20)], 0, _ => { }, CancellationToken.None);

        Assert.IsGreaterThanOrEqualTo(3.0, _clock.Now.TotalSeconds);
        Assert.AreEqual(rounds * MeasureProtocol.RunsPerTurn, samples[0].Count);
        Assert.IsTrue(samples[0].All(microseconds => microseconds == 10));
        Assert.IsTrue(samples[1].All(microseconds => microseconds == 20));
    }

    [TestMethod]
    [DataRow(MeasureMode.Quick, 64)]
    [DataRow(MeasureMode.Full, 1024)]
    public void Sample_SlowRuns_GivesTheFewestSamples(MeasureMode mode, int expected)
    {
        var (samples, _) = MeasureProtocol.Of(mode, _clock).Sample([_clock.Run(_ => 500_000)], 0, _ => { }, CancellationToken.None);

        Assert.HasCount(expected, samples[0]);
    }

    [TestMethod]
    public void Sample_SeveralGraphs_TakeTurnsInAnotherOrderEachRound()
    {
        var turns = new List<int>();
        var runs = Enumerable.Range(0, 4).Select(graph => (Action)(() =>
        {
            turns.Add(graph);
            _clock.Run(_ => 50_000)();
        })).ToArray();

        _ = Quick().Sample(runs, seed: 1, _ => { }, CancellationToken.None);

        // A turn is one untimed run and four timed ones.
        var order = turns.Chunk(5).Select(turn => turn.Distinct().Single()).Chunk(4).ToArray();
        Assert.IsTrue(order.All(round => round.Order().SequenceEqual([0, 1, 2, 3])));
        Assert.IsGreaterThan(1, order.Select(round => string.Concat(round)).Distinct().Count());
    }

    [TestMethod]
    public void Sample_TheFirstRunOfATurn_IsNotTimed()
    {
        var (samples, _) = Quick().Sample([_clock.Run(run => run % 5 == 0 ? 4_000 : 1_000)], 0, _ => { }, CancellationToken.None);

        Assert.IsTrue(samples[0].All(microseconds => microseconds == 1_000));
    }

    [TestMethod]
    public void Sample_Progress_RisesToOne()
    {
        var shares = new List<double>();

        _ = Quick().Sample([_clock.Run(_ => 1_000)], 0, shares.Add, CancellationToken.None);

        CollectionAssert.AreEqual(shares.Order().ToArray(), shares);
        Assert.AreEqual(1.0, shares[^1]);
        Assert.IsLessThanOrEqualTo(100, shares.Count);
    }

    [TestMethod]
    public void WarmUpAndSample_Cancelled_Stop()
    {
        var cancelled = new CancellationToken(canceled: true);
        var never = new Action(() => Assert.Fail("It ran."));

        Assert.ThrowsExactly<OperationCanceledException>(() => Quick().WarmUp(never, cancelled));
        Assert.ThrowsExactly<OperationCanceledException>(() => Quick().Sample([never], 0, _ => { }, cancelled));
    }

    MeasureProtocol Quick() => MeasureProtocol.Of(MeasureMode.Quick, _clock);

    MeasureProtocol Full() => MeasureProtocol.Of(MeasureMode.Full, _clock);
}
