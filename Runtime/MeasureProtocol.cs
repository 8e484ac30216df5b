using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime;

/// <summary>How runs are warmed up and timed, apart from what is run and from the clock.</summary>
/// <param name="clock">The clock whose timestamps are taken around each run.</param>
/// <param name="warmUpCap">When warming up one graph ends, settled or not.</param>
/// <param name="fewestSamples">Timed runs that every graph gets at least.</param>
/// <param name="shortest">How long timing goes on at least, over all graphs.</param>
sealed class MeasureProtocol(TimeProvider clock, TimeSpan warmUpCap, int fewestSamples, TimeSpan shortest)
{
    /// <summary>What is said in the profile of how runs follow one another.</summary>
    public const string Order =
        "interleaved shuffled rounds; in each turn one untimed run, then 4 timed runs; copies to and from a GPU included";

    /// <summary>Timed runs in a turn.</summary>
    public const int RunsPerTurn = 4;

    // Two successive windows of 5 runs and 100 ms each: 10 runs and 200 ms before the first decision, where the cap leaves a slow graph as many.
    const int RunsPerWindow = 5;
    const double SettledWithin = 0.02;
    static readonly TimeSpan Window = TimeSpan.FromMilliseconds(100);

    /// <summary>The protocol of a mode; the numbers stand in <see cref="MeasureMode"/>.</summary>
    public static MeasureProtocol Of(MeasureMode mode, TimeProvider clock) => mode switch
    {
        MeasureMode.Quick => new(clock, TimeSpan.FromSeconds(0.5), 64, TimeSpan.FromSeconds(3)),
        MeasureMode.Full => new(clock, TimeSpan.FromSeconds(10), 1024, TimeSpan.FromSeconds(60)),
        _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "A mode is quick or full."),
    };

    /// <summary>A first look at one graph: enough samples for every bound, and just time to settle in the first two windows.</summary>
    public static MeasureProtocol Probe(TimeProvider clock) => new(clock, (2 * Window) + TimeSpan.FromMilliseconds(10), 64, TimeSpan.Zero);

    /// <summary>The samples that a calibration decides on: those of quick mode in half a second.</summary>
    public static MeasureProtocol Decide(TimeProvider clock) => new(clock, TimeSpan.Zero, 64, TimeSpan.FromSeconds(0.5));

    /// <summary>How long one action takes, in microseconds.</summary>
    public double Time(Action action)
    {
        var start = clock.GetTimestamp();
        action();
        return (clock.GetTimestamp() - start) * 1e6 / clock.TimestampFrequency; // a TimeSpan's 0.1 µs would be 3 % of a small graph
    }

    /// <summary>Runs until the medians of two successive windows differ by less than 2 %, or the time is over.</summary>
    /// <returns>How many runs it took, and whether the times had settled.</returns>
    public (int Runs, bool Settled) WarmUp(Action run, CancellationToken cancellation)
    {
        var start = clock.GetTimestamp();
        var runs = 0;
        double? previous = null;
        while (true)
        {
            var window = new List<double>();
            var windowStart = clock.GetTimestamp();
            while (window.Count < RunsPerWindow || clock.GetElapsedTime(windowStart) < Window)
            {
                cancellation.ThrowIfCancellationRequested();
                window.Add(Time(run));
                runs++;
                if (clock.GetElapsedTime(start) >= warmUpCap)
                {
                    return (runs, false);
                }
            }

            var median = Percentiles.Median(window);
            if (previous is { } before && Math.Abs(median - before) < SettledWithin * before)
            {
                return (runs, true);
            }

            previous = median;
        }
    }

    /// <summary>Times every graph in turn, each round in another order, until there are samples and time enough.</summary>
    /// <param name="runs">One run of each graph.</param>
    /// <param name="seed">Seed of the orders.</param>
    /// <param name="progress">Told the share done, at every hundredth of it.</param>
    /// <param name="cancellation">Looked at before every turn.</param>
    /// <returns>Microseconds of every timed run, a list for each graph; and the rounds.</returns>
    public (List<double>[] Microseconds, int Rounds) Sample(
        IReadOnlyList<Action> runs, int seed, Action<double> progress, CancellationToken cancellation)
    {
        var samples = Array.ConvertAll(new int[runs.Count], _ => new List<double>(2 * fewestSamples));
        var turns = Enumerable.Range(0, runs.Count).ToArray();
        var random = new Random(seed);
        var start = clock.GetTimestamp();
        var rounds = 0;
        var told = 0.0;
        double done;
        do
        {
            random.Shuffle(turns);
            foreach (var turn in turns)
            {
                cancellation.ThrowIfCancellationRequested();
                Turn(runs[turn], samples[turn]);
            }

            rounds++;
            done = Math.Min(1, Math.Min((double)rounds * RunsPerTurn / fewestSamples, Elapsed(start)));
            if (done >= Math.Min(1, told + 0.01)) // rounds may be many thousands, and each telling disturbs the next run
            {
                told = done;
                progress(done);
            }
        }
        while (done < 1);

        return (samples, rounds);
    }

    // The share of the shortest time that has passed; all of it when there is none.
    double Elapsed(long start) => shortest > TimeSpan.Zero ? clock.GetElapsedTime(start) / shortest : 1;

    void Turn(Action run, List<double> samples)
    {
        // The caches are full of the last graph's weights. A deployed graph does not meet them so; its first run pays, untimed.
        // Waiting longer, for the other session's spinning threads, was tried: the medians of equal graphs came no nearer.
        run();
        for (var i = 0; i < RunsPerTurn; i++)
        {
            samples.Add(Time(run));
        }
    }
}
