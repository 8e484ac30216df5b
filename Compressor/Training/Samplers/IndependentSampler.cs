namespace MaestroDeploy.Compressor.Training.Samplers;

/// <summary>Every layer draws a rank of its own each step, uniform from 1 to its current one.</summary>
/// <param name="seed">The run's seed.</param>
public sealed class IndependentSampler(int seed) : IRankSampler
{
    /// <inheritdoc/>
    public int[] Draw(IReadOnlyList<int> current, SamplingPlace at)
    {
        var random = RandomStreams.At(seed, RandomUse.Ranks, at.Step);
        return [.. current.Select(most => most == 0 ? 0 : random.Next(1, most + 1))];
    }
}
