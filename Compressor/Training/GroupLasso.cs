using MaestroDeploy.Compressor.Graph;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Training;

/// <summary>The hierarchical group lasso over one factor's rows, <c>Σ_b ‖F_{b:}‖</c>, where F_{b:} are rows b to the last.</summary>
/// <remarks>
/// It all follows from the r row norms. Row k lies in the tails that start at or before it, so its gradient is
/// <c>F_k·Σ_{b≤k} 1/‖F_{b:}‖</c>; a tail of zeros has subgradient 0. Source: Maestro, section 3.
/// </remarks>
public static class GroupLasso
{
    /// <summary>The norm of every tail: entry b is ‖F_{b:}‖. [r], never rising.</summary>
    /// <param name="factor">[r, …], rank-major.</param>
    public static float[] TailNorms(Tensor factor)
    {
        using var scope = NewDisposeScope();
        using var nothing = no_grad();
        var tails = RowSquares(factor).data<double>().ToArray();
        for (var b = tails.Length - 2; b >= 0; b--)
        {
            tails[b] += tails[b + 1];
        }

        return [.. tails.Select(square => (float)Math.Sqrt(square))];
    }

    /// <summary>Adds the penalty's gradient to a factor's own.</summary>
    /// <param name="factor">[r, …] with a gradient.</param>
    /// <param name="weight">The lasso's weight, 0 and more.</param>
    public static void AddGradient(Tensor factor, double weight)
    {
        using var scope = NewDisposeScope();
        using var nothing = no_grad();
        var sum = 0.0;
        var coefficients = TailNorms(factor).Select(norm => (float)(weight * (sum += norm > 0 ? 1 / norm : 0))).ToArray();
        factor.grad!.add_(factor * NativeTensor.From(coefficients, ColumnOf(factor)));
    }

    /// <summary>The penalty's exact proximal step, in place: what minimises <c>½‖X − F‖² + threshold·Σ_b ‖X_{b:}‖</c>.</summary>
    /// <remarks>
    /// The groups are nested, so one pass from the smallest tail outward solves it: each tail shrinks by the threshold as a whole, or
    /// becomes exactly zero, and its new norm is all that the next one needs. A row ends with the product of the shrinkages around it.
    /// Source: Jenatton et al., Proximal Methods for Hierarchical Sparse Coding, JMLR 12 (2011), Algorithm 1.
    /// </remarks>
    /// <param name="factor">[r, …], rank-major.</param>
    /// <param name="threshold">The learning rate times the lasso's weight, 0 and more.</param>
    public static void Shrink(Tensor factor, double threshold)
    {
        using var scope = NewDisposeScope();
        using var nothing = no_grad();
        var squares = RowSquares(factor).data<double>().ToArray();
        var shrinkages = new double[squares.Length];
        var tail = 0.0;
        for (var b = squares.Length - 1; b >= 0; b--)
        {
            var norm = Math.Sqrt(squares[b] + tail * tail);
            shrinkages[b] = norm > threshold ? 1 - threshold / norm : 0;
            tail = norm * shrinkages[b];
        }

        var product = 1.0;
        var scales = Array.ConvertAll(shrinkages, shrinkage => (float)(product *= shrinkage));
        factor.mul_(NativeTensor.From(scales, ColumnOf(factor)));
    }

    // [r, 1, …]: one number a row, to broadcast over it.
    static long[] ColumnOf(Tensor factor) => [factor.shape[0], .. Enumerable.Repeat(1L, (int)factor.dim() - 1)];

    // In double: the squares of a tail near zero would vanish in float long before its norm does.
    static Tensor RowSquares(Tensor factor)
    {
        var rows = factor.detach().reshape(factor.shape[0], -1).to(float64);
        return (rows * rows).sum([1L]);
    }
}
