namespace MaestroDeploy.Profiles;

/// <summary>A curve that never falls and moves in steps: what latency does over cost, since kernels work by the block.</summary>
/// <remarks>
/// Fitted by isotonic regression (pool adjacent violators): the non-decreasing values nearest to the points by squared
/// distance. Between two points it makes no guess: it lies somewhere from the one below to the one above.
/// </remarks>
public sealed class StepCurve
{
    readonly (double Cost, double Value)[] _steps;

    StepCurve((double Cost, double Value)[] steps, double largestMove) => (_steps, LargestMove) = (steps, largestMove);

    /// <summary>How far the fit moved the point it moved most, as a share of that point's value: 0 when the points never fall.</summary>
    public double LargestMove { get; }

    /// <summary>Fits the curve.</summary>
    /// <param name="points">Costs and the values measured there, in any order; costs may repeat, values are above 0.</param>
    public static StepCurve Fit(IEnumerable<(double Cost, double Value)> points)
    {
        var sorted = points.OrderBy(point => point.Cost).ThenBy(point => point.Value).ToArray();
        var pools = new Stack<(double Sum, int Count)>();
        foreach (var (_, value) in sorted)
        {
            var pool = (Sum: value, Count: 1);
            while (pools.TryPeek(out var before) && before.Sum / before.Count > pool.Sum / pool.Count)
            {
                pool = (pool.Sum + before.Sum, pool.Count + before.Count);
                pools.Pop();
            }

            pools.Push(pool);
        }

        var values = pools.Reverse().SelectMany(pool => Enumerable.Repeat(pool.Sum / pool.Count, pool.Count));
        var steps = sorted.Zip(values, (point, value) => (point.Cost, value)).ToArray();
        var moves = sorted.Zip(steps, (point, step) => Math.Abs(step.value - point.Value) / point.Value);
        return new StepCurve(steps, moves.DefaultIfEmpty().Max());
    }

    /// <summary>What that cost takes at least: the value of the nearest point at or below it; null where there is none.</summary>
    /// <param name="cost">A cost.</param>
    public double? AtLeast(double cost) => Array.FindLastIndex(_steps, step => step.Cost <= cost) is >= 0 and var i ? _steps[i].Value : null;

    /// <summary>What that cost takes at most: the value of the nearest point at or above it; null where there is none.</summary>
    /// <param name="cost">A cost.</param>
    public double? AtMost(double cost) => Array.FindIndex(_steps, step => step.Cost >= cost) is >= 0 and var i ? _steps.Where(step => step.Cost == _steps[i].Cost).Max(step => step.Value) : null;
}
