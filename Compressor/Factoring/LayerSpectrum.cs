namespace MaestroDeploy.Compressor.Factoring;

/// <summary>How much each component of a layer carries, in the order in which a cut keeps them.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Energies">
/// What cutting each adds to the squared error: of the layer's responses, the mean over the data it was decomposed on; of its weight, where
/// there was none.
/// </param>
public sealed record LayerSpectrum(string Layer, IReadOnlyList<double> Energies)
{
    /// <summary>The smallest rank that keeps a share of the energy, 0 where there is none to keep.</summary>
    /// <param name="share">In [0, 1].</param>
    public int RankFor(double share)
    {
        var (missing, rank) = (share * Energies.Sum(), 0);
        while (rank < Energies.Count && missing > 0)
        {
            missing -= Energies[rank++];
        }

        return rank;
    }
}
