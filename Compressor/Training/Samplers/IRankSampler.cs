namespace MaestroDeploy.Compressor.Training.Samplers;

/// <summary>Draws the ranks that one step trains.</summary>
/// <remarks>A draw follows from its place alone, so that a sampler has no state to save.</remarks>
public interface IRankSampler
{
    /// <summary>The cut model of one step.</summary>
    /// <param name="current">Each layer's current rank; 0 where nothing but the bias is left.</param>
    /// <param name="at">The step, and when the ranks last changed.</param>
    /// <returns>A rank for each layer, 1 to its current one, or 0 where that is 0.</returns>
    int[] Draw(IReadOnlyList<int> current, SamplingPlace at);
}

/// <summary>Where a run is, as a sampler needs to know it.</summary>
/// <param name="Step">Steps taken before this one.</param>
/// <param name="RanksSince">The step from which on the ranks have been as they are.</param>
public readonly record struct SamplingPlace(long Step, long RanksSince = 0);
