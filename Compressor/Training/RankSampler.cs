namespace MaestroDeploy.Compressor.Training;

/// <summary>Draws the ranks that one step trains.</summary>
public interface IRankSampler
{
    /// <summary>The next draw.</summary>
    /// <param name="current">Each layer's current rank, 1 and more.</param>
    /// <returns>A rank for each layer, 1 to its current one.</returns>
    int[] Next(IReadOnlyList<int> current);
}

/// <summary>One (layer, rank) pair a step, uniform over all pairs, the other layers full: Maestro, Algorithm 1.</summary>
/// <remarks>Without replacement: each pair comes once a cycle, and a new cycle starts when one ends or when ranks have shrunk.</remarks>
/// <param name="random">The run's random stream for sampling.</param>
public sealed class SingleLayerSampler(Random random) : IRankSampler
{
    readonly Queue<(int Layer, int Rank)> _cycle = [];
    int[] _ranks = [];

    /// <inheritdoc/>
    public int[] Next(IReadOnlyList<int> current)
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

/// <summary>One share for all layers a step, log-uniform between a smallest share and 1.</summary>
/// <remarks>A deployed variant cuts all layers at once, so that is what is trained; log-uniform, since small variants differ by factors.</remarks>
/// <param name="random">The run's random stream for sampling.</param>
/// <param name="smallest">The smallest share, in (0, 1].</param>
public sealed class NestedSampler(Random random, double smallest) : IRankSampler
{
    /// <inheritdoc/>
    public int[] Next(IReadOnlyList<int> current)
    {
        var share = Math.Exp(random.NextDouble() * Math.Log(smallest));
        return [.. current.Select(most => Math.Max(1, (int)Math.Round(share * most)))];
    }
}
