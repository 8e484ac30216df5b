using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Exporter.Planning;

/// <summary>What is known of a convolution's time where nothing was measured: its kernels work on blocks of channels, full or not.</summary>
/// <remarks>
/// ONNX Runtime's blocks have 16 channels on AVX-512 machines and 8 elsewhere: a rank of 24 takes as long as 32. A rank below one block
/// takes no less than a full one, and mostly more, since the pair falls out of the blocked layout.
/// </remarks>
public static class ConvolutionBlocks
{
    /// <summary>Channels of a block: what both kinds of machines fill.</summary>
    public const int Channels = 16;

    // Two kernels take up to a fifth longer than their products: what saves less than an eighth of these saves no time.
    const double LeastSaved = 1 / 8.0;

    /// <summary>Whether a pair of a convolution is faster than dense at a rank, and idles nowhere.</summary>
    /// <param name="outputs">Rows of the dense weight.</param>
    /// <param name="inputs">Its columns.</param>
    /// <param name="rank">The rank.</param>
    public static bool Fills(int outputs, int inputs, int rank)
    {
        var full = (outputs + Channels - 1) / Channels * Channels;
        return rank % Channels == 0 && rank * (inputs + (double)full) <= (1 - LeastSaved) * full * inputs;
    }

    /// <summary>Whether a rank is one of a convolution that fills no block while a rank near it does: below three quarters of one block none is near.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="rank">The rank.</param>
    internal static bool Idles(PairCost layer, int rank) =>
        layer.Pair.Kind == LayerKind.Conv && rank >= 3 * Channels / 4 && !Fills(layer.Pair.Out, layer.Pair.In, rank) && Ranks(layer).Any();

    /// <summary>The ranks of a convolution that fill blocks, ascending; none where no pair is faster than dense.</summary>
    internal static IEnumerable<int> Ranks(PairCost layer) =>
        Enumerable.Range(1, layer.Rank / Channels).Select(blocks => blocks * Channels).Where(rank => Fills(layer.Pair.Out, layer.Pair.In, rank));
}
