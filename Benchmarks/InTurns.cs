using System.Diagnostics;

namespace MaestroDeploy.Benchmarks;

/// <summary>Times several actions in shuffled, interleaved rounds, so that what disturbs the machine disturbs all of them.</summary>
static class InTurns
{
    /// <summary>The time of every turn in milliseconds, an array for each action.</summary>
    /// <param name="rounds">Turns that each action gets.</param>
    /// <param name="seed">Seeds the order within each round.</param>
    /// <param name="actions">What to time; one untimed round goes first.</param>
    public static double[][] Time(int rounds, int seed, params Action[] actions)
    {
        var random = new Random(seed);
        var times = actions.Select(_ => new double[rounds]).ToArray();
        int[] order = [.. Enumerable.Range(0, actions.Length)];
        foreach (var action in actions)
        {
            action();
        }

        for (var round = 0; round < rounds; round++)
        {
            random.Shuffle(order);
            foreach (var turn in order)
            {
                var started = Stopwatch.GetTimestamp();
                actions[turn]();
                times[turn][round] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            }
        }

        return times;
    }

    /// <summary>The middle value.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>A quarter of the values lie below it: what a busy machine lets through undisturbed.</summary>
    public static double LowerQuartile(double[] values) => values.Order().ElementAt(values.Length / 4);

    /// <summary>The median over the rounds of one time over another in the same round.</summary>
    public static double Ratio(double[] times, double[] baseline) => Median(times.Zip(baseline, (time, other) => time / other));
}
