namespace MaestroDeploy.Compressor.Training.Samplers;

/// <summary>One (layer, rank) pair a step, uniform over all pairs, the other layers full: Maestro, Algorithm 1.</summary>
/// <remarks>Without replacement: each pair comes once a cycle, and a new cycle starts when one ends or when ranks have shrunk.</remarks>
/// <param name="seed">The run's seed.</param>
public sealed class SingleLayerSampler(int seed) : IRankSampler
{
    (int Layer, int Rank)[] _cycle = [];
    (long RanksSince, long Number) _drawn = (-1, -1);

    /// <inheritdoc/>
    public int[] Draw(IReadOnlyList<int> current, SamplingPlace at)
    {
        var ranks = current.ToArray();
        long length = ranks.Sum();
        if (length > 0)
        {
            var (cycle, place) = Math.DivRem(at.Step - at.RanksSince, length);
            var drawn = Cycle(ranks, at.RanksSince, cycle)[place];
            ranks[drawn.Layer] = drawn.Rank;
        }

        return ranks;
    }

    (int Layer, int Rank)[] Cycle(int[] ranks, long since, long number)
    {
        if (_drawn != (since, number) || _cycle.Length != ranks.Sum())
        {
            _cycle = [.. ranks.SelectMany((most, layer) => Enumerable.Range(1, most).Select(rank => (layer, rank)))];
            RandomStreams.At(seed, RandomUse.Ranks, since + number).Shuffle(_cycle);
            _drawn = (since, number);
        }

        return _cycle;
    }
}
