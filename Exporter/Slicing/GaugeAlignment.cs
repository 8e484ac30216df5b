using System.Numerics.Tensors;

namespace MaestroDeploy.Exporter.Slicing;

/// <summary>A pair of factors re-based so that some outputs are the hidden values themselves.</summary>
/// <remarks>
/// With B the columns of U at r chosen outputs, <c>W = Uᵀ·V = (B⁻¹U)ᵀ·(Bᵀ·V)</c>, and B⁻¹U is the identity at those outputs: only
/// r·(in + out − r) products are left of r·(in + out). Source: FlexRank, gauge-aligned reparametrisation; that takes the first r
/// outputs and fails where their block is singular, this one falls back to the best-conditioned outputs, or to none.
/// </remarks>
/// <param name="Inner">Bᵀ·V, [r, in]: the rows of W of the chosen outputs.</param>
/// <param name="Outer">B⁻¹U of the other outputs, [r, out − r].</param>
/// <param name="Outputs">The outputs in the order in which they come: the r chosen, then the others ascending.</param>
public sealed record GaugeAlignment(float[] Inner, float[] Outer, int[] Outputs)
{
    // Half of what an output may be off, 1e-5 of the largest: the trials are few.
    const double Tolerance = 5e-6;

    // A pivot below this share of its row's length says that the outputs tried hardly differ.
    const double LeastPivot = 1e-5;

    const int Trials = 4;

    /// <summary>Whether the outputs come in their own order, so that nothing needs to be put back in place.</summary>
    public bool InOrder => Outputs.Zip(Outputs.Skip(1)).All(pair => pair.First < pair.Second);

    /// <summary>Re-bases the first components of a pair; null where no choice of outputs is conditioned well enough.</summary>
    /// <param name="u">U [rank or more, out].</param>
    /// <param name="v">V [rank or more, in].</param>
    /// <param name="rank">Components to keep, below both sizes.</param>
    /// <param name="rows">Outputs of the layer.</param>
    /// <param name="columns">Inputs of the layer.</param>
    public static GaugeAlignment? Of(ReadOnlySpan<float> u, ReadOnlySpan<float> v, int rank, int rows, int columns)
    {
        if (rank < 1 || rank >= Math.Min(rows, columns))
        {
            return null;
        }

        var (keptU, keptV) = (u[..(rank * rows)].ToArray(), v[..(rank * columns)].ToArray());
        return Try(keptU, keptV, rank, rows, columns, among: rank) ?? Try(keptU, keptV, rank, rows, columns, among: rows);
    }

    static GaugeAlignment? Try(float[] u, float[] v, int rank, int rows, int columns, int among)
    {
        var (reduced, pivots) = Eliminated(u, rank, rows, among);
        if (pivots is null)
        {
            return null;
        }

        // Each reduced row holds a one at its own pivot; put in the order of their outputs, rows and outputs match.
        var order = Enumerable.Range(0, rank).OrderBy(row => pivots[row]).ToArray();
        int[] outputs = [.. order.Select(row => pivots[row]), .. Enumerable.Range(0, rows).Except(pivots)];
        var outer = new float[rank * (rows - rank)];
        for (var row = 0; row < rank; row++)
        {
            for (var column = 0; column < rows - rank; column++)
            {
                outer[row * (rows - rank) + column] = (float)reduced[order[row]][outputs[rank + column]];
            }
        }

        var aligned = new GaugeAlignment(Rows(u, v, outputs.AsSpan(0, rank), rank, rows, columns), outer, outputs);
        return aligned.Error(u, v, rank, rows, columns) <= Tolerance ? aligned : null;
    }

    // U by Gauss-Jordan elimination to the identity at one pivot a row; no pivots where they become too small. Pivots are among
    // the first outputs, and the largest entry left is always the next.
    static (double[][] Reduced, int[]? Pivots) Eliminated(float[] u, int rank, int rows, int among)
    {
        var reduced = Enumerable.Range(0, rank).Select(row => Normalised(u.AsSpan(row * rows, rows))).ToArray();
        var pivots = Enumerable.Repeat(-1, rank).ToArray();
        for (var step = 0; step < rank; step++)
        {
            var (row, column) = Largest(reduced, pivots, among);
            var pivot = reduced[row][column];
            if (!(Math.Abs(pivot) > LeastPivot))
            {
                return (reduced, null);
            }

            pivots[row] = column;
            TensorPrimitives.Divide(reduced[row], pivot, reduced[row]);
            for (var other = 0; other < rank; other++)
            {
                if (other != row && reduced[other][column] is not 0 and var factor)
                {
                    TensorPrimitives.MultiplyAdd(reduced[row], -factor, reduced[other], reduced[other]);
                }
            }
        }

        return (reduced, pivots);
    }

    // The scale of a row of U changes nothing of B⁻¹U, and says nothing of how well its outputs differ.
    static double[] Normalised(ReadOnlySpan<float> row)
    {
        var values = new double[row.Length];
        TensorPrimitives.ConvertTruncating(row, values);
        var length = TensorPrimitives.Norm<double>(values);
        if (length > 0)
        {
            TensorPrimitives.Divide(values, length, values);
        }

        return values;
    }

    // A pivot's column is zero in every other row, and rows that have theirs are passed over.
    static (int Row, int Column) Largest(double[][] reduced, int[] pivots, int among)
    {
        var (row, column, most) = (-1, 0, -1.0);
        for (var candidate = 0; candidate < reduced.Length; candidate++)
        {
            if (pivots[candidate] < 0)
            {
                var at = TensorPrimitives.IndexOfMaxMagnitude(reduced[candidate].AsSpan(0, among));
                var size = Math.Abs(reduced[candidate][at]);
                (row, column, most) = size > most ? (candidate, at, size) : (row, column, most);
            }
        }

        return (row, column);
    }

    static float[] Rows(float[] u, float[] v, ReadOnlySpan<int> outputs, int rank, int rows, int columns)
    {
        var result = new float[outputs.Length * columns];
        var sum = new double[columns];
        var wide = new double[columns];
        for (var i = 0; i < outputs.Length; i++)
        {
            Array.Clear(sum);
            for (var k = 0; k < rank; k++)
            {
                TensorPrimitives.ConvertTruncating<float, double>(v.AsSpan(k * columns, columns), wide);
                TensorPrimitives.MultiplyAdd<double>(wide, u[k * rows + outputs[i]], sum, sum);
            }

            TensorPrimitives.ConvertTruncating<double, float>(sum, result.AsSpan(i * columns, columns));
        }

        return result;
    }

    // How far a few random inputs come out from where the plain pair takes them, as a share of the largest output.
    double Error(float[] u, float[] v, int rank, int rows, int columns)
    {
        var random = new Random(1);
        var (apart, largest) = (0.0, 1e-30);
        for (var trial = 0; trial < Trials; trial++)
        {
            var x = Enumerable.Range(0, columns).Select(_ => 2 * random.NextSingle() - 1).ToArray();
            var (plain, aligned) = (Expanded(u, Products(v, x, rank), rows), Forward(x, rank, rows));
            for (var i = 0; i < rows; i++)
            {
                apart = Math.Max(apart, Math.Abs((double)plain[i] - aligned[i]));
                largest = Math.Max(largest, Math.Abs(plain[i]));
            }
        }

        return double.IsFinite(apart) ? apart / largest : double.PositiveInfinity;
    }

    float[] Forward(float[] x, int rank, int rows)
    {
        var chosen = Products(Inner, x, rank);
        float[] inTurn = [.. chosen, .. Expanded(Outer, chosen, rows - rank)];
        var result = new float[rows];
        for (var i = 0; i < rows; i++)
        {
            result[Outputs[i]] = inTurn[i];
        }

        return result;
    }

    static float[] Products(float[] matrix, float[] x, int rows)
    {
        var result = new float[rows];
        for (var row = 0; row < rows; row++)
        {
            result[row] = TensorPrimitives.Dot<float>(matrix.AsSpan(row * x.Length, x.Length), x);
        }

        return result;
    }

    static float[] Expanded(float[] matrix, float[] hidden, int columns)
    {
        var result = new float[columns];
        for (var row = 0; row < hidden.Length; row++)
        {
            TensorPrimitives.MultiplyAdd(matrix.AsSpan(row * columns, columns), hidden[row], result, result);
        }

        return result;
    }
}
