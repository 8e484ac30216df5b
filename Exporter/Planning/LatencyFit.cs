namespace MaestroDeploy.Exporter.Planning;

/// <summary>How the times of a graph's nodes make up the latency of the whole: <c>fixed + scale · time + node · nodes</c>.</summary>
/// <remarks>The timer adds some microseconds to every node that the whole does not pay, so that <see cref="PerNode"/> is mostly negative.</remarks>
/// <param name="Fixed">Microseconds of the call itself.</param>
/// <param name="Scale">Microseconds of latency for one microsecond of node time.</param>
/// <param name="PerNode">Microseconds for each node.</param>
public sealed record LatencyFit(double Fixed, double Scale, double PerNode)
{
    // Models of one network have nearly as many nodes each, which leaves the unknowns loose; this share holds them to one microsecond for one.
    const double Prior = 1e-3;

    /// <summary>The least relative squared error over some models.</summary>
    /// <param name="models">What the nodes of each took.</param>
    /// <param name="wholeUs">What each took as a whole.</param>
    public static LatencyFit Of(IReadOnlyList<NodeTime> models, IReadOnlyList<double> wholeUs)
    {
        var matrix = new double[3, 4];
        foreach (var (time, whole) in models.Zip(wholeUs))
        {
            Add([1 / whole, time.Us / whole, time.Nodes / whole], 1, weight: 1);
        }

        double[] prior = [0, 1, 0];
        for (var i = 0; i < 3; i++)
        {
            var weight = Prior * matrix[i, i];
            matrix[i, i] += weight;
            matrix[i, 3] += weight * prior[i];
        }

        var solution = Solve(matrix);
        return new LatencyFit(Math.Max(0, solution[0]), solution[1], solution[2]);

        void Add(double[] row, double target, double weight)
        {
            for (var i = 0; i < 3; i++)
            {
                for (var j = 0; j < 3; j++)
                {
                    matrix[i, j] += weight * row[i] * row[j];
                }

                matrix[i, 3] += weight * row[i] * target;
            }
        }
    }

    /// <summary>What some nodes add to a latency, in microseconds; never less than nothing.</summary>
    public double Of(NodeTime time) => Math.Max(0, Scale * time.Us + PerNode * time.Nodes);

    // Three equations; the matrix is positive definite, so that no rows need changing.
    static double[] Solve(double[,] matrix)
    {
        for (var step = 0; step < 3; step++)
        {
            for (var row = 0; row < 3; row++)
            {
                var factor = row == step ? 0 : matrix[row, step] / matrix[step, step];
                for (var column = step; column < 4 && factor != 0; column++)
                {
                    matrix[row, column] -= factor * matrix[step, column];
                }
            }
        }

        return [.. Enumerable.Range(0, 3).Select(row => matrix[row, 3] / matrix[row, row])];
    }
}
