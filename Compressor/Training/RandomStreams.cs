namespace MaestroDeploy.Compressor.Training;

/// <summary>What a random number is drawn for: each use has a stream of its own, so that a change in one leaves the others as they were.</summary>
enum RandomUse
{
    /// <summary>The order of the samples.</summary>
    Order,

    /// <summary>The ranks that a step trains.</summary>
    Ranks,

    /// <summary>How samples are varied.</summary>
    Augmentation,
}

/// <summary>Every random choice of a run, as a function of the seed, its use and its place in the run.</summary>
/// <remarks>So there is no random state to save: a run goes on from any checkpoint as if it had never stopped.</remarks>
static class RandomStreams
{
    /// <summary>The stream for one use at one place.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="use">What it is for.</param>
    /// <param name="place">An epoch, a step, or a cycle.</param>
    public static Random At(int seed, RandomUse use, long place) =>
        new((int)(Mixed(Mixed(Mixed((ulong)seed) ^ (ulong)use) ^ (ulong)place) >> 33));

    // The finaliser of SplitMix64 (Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, 2014).
    static ulong Mixed(ulong value)
    {
        value += 0x9e3779b97f4a7c15;
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }
}
