using MaestroDeploy.Compressor.Graph;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Factoring;

/// <summary>How much low-rank structure a weight has, by its singular values.</summary>
/// <param name="FullRank">min(out, in): the most components that it can have.</param>
/// <param name="NumericalRank">Singular values above 0.001 of the largest.</param>
/// <param name="EnergyRank">The fewest components that keep 99 % of the energy, the sum of the squared singular values.</param>
public sealed record WeightSpectrum(int FullRank, int NumericalRank, int EnergyRank)
{
    /// <summary>A singular value below this share of the largest counts as none.</summary>
    public const double Tolerance = 1e-3;

    /// <summary>The share of the energy that <see cref="EnergyRank"/> keeps.</summary>
    public const double KeptEnergy = 0.99;

    /// <summary>Reads a matrix's spectrum; null where it holds values that are infinite or not numbers.</summary>
    /// <param name="matrix">[rows, columns], row-major.</param>
    /// <param name="rows">Rows, 1 or more.</param>
    /// <param name="columns">Columns, 1 or more.</param>
    public static WeightSpectrum? Of(float[] matrix, int rows, int columns)
    {
        if (!matrix.All(float.IsFinite))
        {
            return null;
        }

        var energies = Energies(matrix, rows, columns);
        var (largest, all) = (energies[0], energies.Sum());
        double kept = 0;
        var energyRank = all > 0 ? energies.TakeWhile(energy => (kept += energy) < KeptEnergy * all).Count() + 1 : 0;
        return new WeightSpectrum(Math.Min(rows, columns), energies.Count(energy => energy > Tolerance * Tolerance * largest), Math.Min(energyRank, energies.Length));
    }

    // The squared singular values, the largest first, as eigenvalues of the smaller of W·Wᵀ and Wᵀ·W: in double they are good to
    // 1e-8 of the largest singular value, and a tall matrix takes a fraction of its decomposition's time.
    static double[] Energies(float[] matrix, int rows, int columns)
    {
        using var scope = NewDisposeScope();
        var weight = NativeTensor.From(matrix, rows, columns).to(float64);
        var square = rows <= columns ? weight.mm(weight.t()) : weight.t().mm(weight);
        return [.. linalg.eigvalsh(square).data<double>().ToArray().Select(value => Math.Max(0, value)).Reverse()];
    }
}
