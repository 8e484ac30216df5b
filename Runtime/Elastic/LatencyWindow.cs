using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime.Elastic;

/// <summary>The latencies of the last runs, in memory that is taken once; a percentile of each full window.</summary>
/// <remarks>Not for several threads at once.</remarks>
/// <param name="runs">Runs that fill it.</param>
/// <param name="percentile">50, 90 or 95.</param>
sealed class LatencyWindow(int runs, int percentile)
{
    readonly double[] _microseconds = new double[runs];
    int _count;

    /// <summary>Takes one run in; a run that fills the window empties it.</summary>
    /// <returns>The percentile in microseconds when the window is full; null otherwise.</returns>
    public double? Add(double microseconds)
    {
        _microseconds[_count++] = microseconds;
        if (_count < _microseconds.Length)
        {
            return null;
        }

        _count = 0;
        Array.Sort(_microseconds);
        return Percentiles.Value(_microseconds, percentile / 100.0);
    }

    /// <summary>Forgets the runs taken in since the last full window.</summary>
    public void Clear() => _count = 0;
}
