using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Compressor.Training;

/// <summary>Draws the ranks that one step trains.</summary>
public interface IRankSampler
{
    /// <summary>A draw.</summary>
    /// <param name="current">Each layer's current rank, 1 and more.</param>
    /// <returns>A rank for each layer, 1 to its current one.</returns>
    int[] Draw(IReadOnlyList<int> current);
}

/// <summary>One (layer, rank) pair a step, uniform over all pairs, the other layers full: Maestro, Algorithm 1.</summary>
/// <remarks>Without replacement: each pair comes once a cycle, and a new cycle starts when one ends or when ranks have shrunk.</remarks>
/// <param name="random">The run's random stream for sampling.</param>
public sealed class SingleLayerSampler(Random random) : IRankSampler
{
    readonly Queue<(int Layer, int Rank)> _cycle = [];
    int[] _ranks = [];

    /// <inheritdoc/>
    public int[] Draw(IReadOnlyList<int> current)
    {
        if (_cycle.Count == 0 || !current.SequenceEqual(_ranks))
        {
            _ranks = [.. current];
            var pairs = current.SelectMany((most, layer) => Enumerable.Range(1, most).Select(rank => (layer, rank))).ToArray();
            random.Shuffle(pairs);
            _cycle.Clear();
            foreach (var pair in pairs)
            {
                _cycle.Enqueue(pair);
            }
        }

        var drawn = _cycle.Dequeue();
        var ranks = current.ToArray();
        ranks[drawn.Layer] = drawn.Rank;
        return ranks;
    }
}

/// <summary>One budget a step, log-uniform between a smallest share of the MACs and all, and the ranks that it buys every layer.</summary>
/// <remarks>A deployed variant cuts all layers at once, so that is what is trained; log-uniform, since small variants differ by factors.</remarks>
/// <param name="random">The run's random stream for sampling.</param>
/// <param name="layers">The factored layers and their costs.</param>
/// <param name="smallest">The smallest share, in (0, 1].</param>
public sealed class NestedSampler(Random random, IReadOnlyList<PairCost> layers, double smallest) : IRankSampler
{
    readonly long _dense = layers.Sum(layer => layer.DenseMacs);

    /// <inheritdoc/>
    public int[] Draw(IReadOnlyList<int> current)
    {
        // Drawn from half the smallest share on: those below it train the smallest itself, where a family is weakest.
        var budget = _dense * Math.Max(smallest, Math.Exp(random.NextDouble() * Math.Log(smallest / 2)));
        return UniformRanks.Within([.. layers.Zip(current, (layer, rank) => layer with { Rank = rank })], (layer, rank) => layer.MacsAt(rank), budget);
    }
}
