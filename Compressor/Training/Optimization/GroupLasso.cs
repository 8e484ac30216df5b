using MaestroDeploy.Compressor.Graph;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Training.Optimization;

/// <summary>The group lasso over one factor's rows: <c>Σ_b ‖F_{b:}‖</c> over tails, F_{b:} being rows b to the last, or <c>Σ_b ‖F_b‖</c> over rows.</summary>
/// <remarks>
/// It all follows from the r row norms. Row k lies in the tails that start at or before it, so its gradient is
/// <c>F_k·Σ_{b≤k} 1/‖F_{b:}‖</c>; a group of zeros has subgradient 0. Source: Maestro, section 3.
/// </remarks>
public static class GroupLasso
{
    /// <summary>The norm of every row, [r].</summary>
    /// <param name="factor">[r, …], rank-major.</param>
    public static double[] RowNorms(Tensor factor)
    {
        using var scope = NewDisposeScope();
        using var nothing = no_grad();
        // In double: the square of a norm near zero would vanish in float long before the norm does.
        return factor.detach().reshape(factor.shape[0], -1).norm(dim: 1, keepdim: false, p: 2).to(float64).data<double>().ToArray();
    }

    /// <summary>The norm of every tail: entry b is ‖F_{b:}‖. [r], never rising.</summary>
    /// <param name="factor">[r, …], rank-major.</param>
    public static double[] TailNorms(Tensor factor)
    {
        var norms = RowNorms(factor);
        for (var b = norms.Length - 2; b >= 0; b--)
        {
            norms[b] = double.Hypot(norms[b], norms[b + 1]);
        }

        return norms;
    }

    /// <summary>Adds the penalty's gradient to a factor's own.</summary>
    /// <param name="factor">[r, …] with a gradient.</param>
    /// <param name="weight">The lasso's weight, 0 and more.</param>
    /// <param name="groups">Which rows belong together.</param>
    public static void AddGradient(Tensor factor, double weight, LassoGroups groups = LassoGroups.Tails)
    {
        using var scope = NewDisposeScope();
        using var nothing = no_grad();
        var inverses = Array.ConvertAll(groups == LassoGroups.Tails ? TailNorms(factor) : RowNorms(factor), norm => norm > 0 ? 1 / norm : 0);
        var sum = 0.0;
        var coefficients = Array.ConvertAll(inverses, inverse => (float)(weight * (groups == LassoGroups.Tails ? sum += inverse : inverse)));
        factor.grad!.add_(factor * NativeTensor.From(coefficients, ColumnOf(factor)));
    }

    /// <summary>The penalty's exact proximal step, in place: what minimises <c>½‖X − F‖² + threshold·Σ ‖group‖</c>.</summary>
    /// <remarks>
    /// Tails are nested, so one pass from the smallest outward solves it: each tail shrinks by the threshold as a whole, or
    /// becomes exactly zero, and its new norm is all that the next one needs. A row ends with the product of the shrinkages around it.
    /// Source: Jenatton et al., Proximal Methods for Hierarchical Sparse Coding, JMLR 12 (2011), Algorithm 1.
    /// </remarks>
    /// <param name="factor">[r, …], rank-major.</param>
    /// <param name="threshold">The learning rate times the lasso's weight, 0 and more.</param>
    /// <param name="groups">Which rows belong together.</param>
    public static void Shrink(Tensor factor, double threshold, LassoGroups groups = LassoGroups.Tails)
    {
        using var scope = NewDisposeScope();
        using var nothing = no_grad();
        var norms = RowNorms(factor);
        var scales = Array.ConvertAll(groups == LassoGroups.Tails ? TailScales(norms, threshold) : Array.ConvertAll(norms, norm => Shrinkage(norm, threshold)), scale => (float)scale);
        factor.mul_(NativeTensor.From(scales, ColumnOf(factor)));
    }

    static double[] TailScales(double[] norms, double threshold)
    {
        var shrinkages = new double[norms.Length];
        var tail = 0.0;
        for (var b = norms.Length - 1; b >= 0; b--)
        {
            var norm = double.Hypot(norms[b], tail);
            shrinkages[b] = Shrinkage(norm, threshold);
            tail = norm * shrinkages[b];
        }

        var product = 1.0;
        return Array.ConvertAll(shrinkages, shrinkage => product *= shrinkage);
    }

    static double Shrinkage(double norm, double threshold) => norm > threshold ? 1 - threshold / norm : 0;

    // [r, 1, …]: one number a row, to broadcast over it.
    static long[] ColumnOf(Tensor factor) => [factor.shape[0], .. Enumerable.Repeat(1L, (int)factor.dim() - 1)];
}
