using System.Text.Json;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime.Elastic;

namespace MaestroDeploy.Tests.Runtime.Elastic;

[TestClass]
public sealed class GovernorTests
{
    // Four variants of 8, 4, 2 and 1 ms; the limit selects the one of 4 ms.
    static readonly Rung[] Ladder = [new("b100", 8000), new("b50", 4000), new("b25", 2000), new("b12", 1000)];
    const double LimitUs = 5000;
    const int Home = 1;

    static readonly GovernorRules Rules = new();

    [TestMethod]
    public void Next_TheLoadTriples_StepsDownWithinThreeWindowsOfTheFirstMiss()
    {
        var run = new Simulation();

        run.Windows(20, load: 1);
        Assert.AreEqual(Home, run.Rung);

        run.Windows(3, load: 3); // 12 ms, then 6 ms
        Assert.AreEqual(3, run.Rung, "3 ms on the fastest: two steps, the second after one window more");
    }

    [TestMethod]
    public void Next_OneWindowMisses_Stays()
    {
        var run = new Simulation();

        run.Windows(1, load: 10);
        run.Windows(1, load: 1);
        run.Windows(1, load: 10);

        Assert.AreEqual(Home, run.Rung);
    }

    [TestMethod]
    public void Next_TheLoadFalls_ReturnsToTheSelectedVariantSlowly()
    {
        var run = new Simulation();
        run.Windows(10, load: 4);
        Assert.AreEqual(3, run.Rung);

        run.Windows(Rules.CalmToStepUp - 1, load: 1);
        Assert.AreEqual(3, run.Rung);
        run.Windows(1 + (2 * Rules.CalmToStepUp), load: 1);

        Assert.AreEqual(Home, run.Rung);
        run.Windows(1000, load: 1);
        Assert.AreEqual(Home, run.Rung, "the larger one would take 8 ms");
    }

    [TestMethod]
    [DataRow(1.0, DisplayName = "idle")]
    [DataRow(1.2, DisplayName = "just within the limit")]
    [DataRow(1.26, DisplayName = "just beyond it")]
    [DataRow(2.5, DisplayName = "just beyond it on the next variant")]
    [DataRow(10.0, DisplayName = "too much for any")]
    public void Next_SteadyLoad_DoesNotOscillate(double load)
    {
        var run = new Simulation();

        run.Windows(5000, load);

        Assert.IsLessThanOrEqualTo(3, run.Switches);
    }

    [TestMethod]
    [DataRow(1.15)]
    [DataRow(1.25)]
    [DataRow(1.35)]
    public void Next_SteadyLoadThatTheProfileMisjudges_OscillatesEverLess(double misjudged)
    {
        // Expected to fit after a step down, the larger variant never does: the profile has it too fast.
        var run = new Simulation { Actual = [8000, 4000 * misjudged, 2000, 1000] };

        run.Windows(2000, load: 1.1);
        var early = run.Switches;
        run.Windows(2000, load: 1.1);

        Assert.IsLessThanOrEqualTo(16, early);
        Assert.IsLessThanOrEqualTo(4, run.Switches - early);
    }

    [TestMethod]
    public void Next_NoisyWindows_FollowTheLoadAllTheSame()
    {
        var run = new Simulation { Noise = 0.1 };

        run.Windows(500, load: 1);
        Assert.AreEqual((Home, 0), (run.Rung, run.Switches));
        run.Windows(500, load: 2);
        Assert.AreEqual(2, run.Rung);
        run.Windows(500, load: 1);
        Assert.AreEqual(Home, run.Rung);
        Assert.IsLessThanOrEqualTo(6, run.Switches);
    }

    [TestMethod]
    public void Next_OnTheFastestVariant_StaysAndMisses()
    {
        var governor = new Governor(Rules, [new("only", 4000)], home: 0, LimitUs);

        var (decision, state) = governor.Next(governor.Start with { Missed = 1 }, 9000);

        Assert.AreEqual((GovernorDecision.Stay, 0), (decision, state.Rung));
    }

    [TestMethod]
    public void Log_WrittenAndRead_ReplaysAndNoticesAForgery()
    {
        var run = new Simulation();
        run.Windows(10, load: 4);
        run.Windows(40, load: 1);
        var text = ProfilesJson.ToText(new GovernorLog(Rules, Ladder, Home, LimitUs, 90, run.Entries));

        var log = JsonSerializer.Deserialize<GovernorLog>(text, ProfilesJson.Options)!;
        var forged = log with { Entries = [.. log.Entries.Select(entry => entry.Decision == GovernorDecision.StepUp ? entry with { ObservedUs = LimitUs + 1 } : entry)] };

        Assert.HasCount(50, log.Entries);
        Assert.IsNull(log.FirstDisagreement());
        Assert.AreEqual(GovernorDecision.StepUp, forged.FirstDisagreement()!.Value.Decision);
    }

    [TestMethod]
    public void Recorder_MoreThanItHolds_KeepsTheLast()
    {
        var recorder = new GovernorRecorder(3);
        for (var i = 0; i < 5; i++)
        {
            recorder.Add(new GovernorEntry { AtMs = i });
        }

        CollectionAssert.AreEqual(new double[] { 2, 3, 4 }, recorder.ToArray().Select(entry => entry.AtMs).ToArray());
    }

    /// <summary>Windows of a load that slows every variant by the same factor.</summary>
    sealed class Simulation
    {
        readonly Governor _governor = new(Rules, Ladder, Home, LimitUs);
        readonly Random _random = new(7);
        GovernorState _state;

        public Simulation() => _state = _governor.Start;

        public double[] Actual { get; init; } = [.. Ladder.Select(rung => rung.ExpectedUs)];

        public double Noise { get; init; }

        public int Rung => _state.Rung;

        public int Switches => Entries.Count(entry => entry.Decision != GovernorDecision.Stay);

        public List<GovernorEntry> Entries { get; } = [];

        public void Windows(int count, double load)
        {
            for (var i = 0; i < count; i++)
            {
                var observed = load * Actual[_state.Rung] * (1 + (Noise * ((2 * _random.NextDouble()) - 1)));
                var (decision, after) = _governor.Next(_state, observed);
                Entries.Add(new GovernorEntry(Entries.Count, Rules.WindowRuns, observed, _state, decision, after));
                _state = after;
            }
        }
    }
}
