namespace MaestroDeploy.Profiles;

/// <summary>Percentiles of a sample and how far to trust them, from the order of the values alone.</summary>
/// <remarks>No distribution is assumed; the bounds take the values to be independent of one another.</remarks>
public static class Percentiles
{
    /// <summary>The value at index <c>n·p</c>, rounded down, of the sorted sample: MLPerf LoadGen's definition.</summary>
    /// <param name="sorted">At least one value, ascending.</param>
    /// <param name="share">Share of values below the percentile, in (0, 1): 0.9 for the 90th.</param>
    /// <exception cref="ArgumentException">The sample is empty, or <paramref name="share"/> is outside its range.</exception>
    public static double Value(ReadOnlySpan<double> sorted, double share)
    {
        CheckSample(sorted, share);
        return sorted[Math.Min((int)(sorted.Length * share), sorted.Length - 1)];
    }

    /// <summary>The middle value, of an even number the upper of the two: <see cref="Value"/> at a half.</summary>
    /// <param name="sample">At least one value, in any order.</param>
    /// <exception cref="ArgumentException">The sample is empty.</exception>
    public static double Median(IEnumerable<double> sample) => Value([.. sample.Order()], 0.5);

    /// <summary>The smallest value of the sample that the true percentile exceeds only with probability 1 − confidence.</summary>
    /// <remarks>
    /// The k-th smallest of n values is above the true percentile when fewer than k of them fall below it, and how many
    /// fall below it is binomial(n, share). A small sample has no such k: p90 at 95 % needs 29 values.
    /// </remarks>
    /// <param name="sorted">At least one value, ascending.</param>
    /// <param name="share">Share of values below the percentile, in (0, 1).</param>
    /// <param name="confidence">One-sided confidence, in (0, 1): 0.95.</param>
    /// <returns>The bound, or null when the sample is too small to have one.</returns>
    /// <exception cref="ArgumentException">The sample is empty, or a share is outside its range.</exception>
    public static double? UpperBound(ReadOnlySpan<double> sorted, double share, double confidence)
    {
        CheckSample(sorted, share);
        return UpperBoundIndex(sorted.Length, share, confidence) is { } index ? sorted[index] : null;
    }

    /// <summary>How many samples it takes until the upper bound of a percentile lies close to it, were they distributed like these.</summary>
    /// <param name="sorted">At least one value, ascending; a thousand or more to be worth something.</param>
    /// <param name="share">Share of values below the percentile, in (0, 1).</param>
    /// <param name="confidence">One-sided confidence, in (0, 1).</param>
    /// <param name="tolerance">How far above the percentile the bound may lie, as a share of the percentile; above 0.</param>
    /// <returns>The first of 32, 64, 128 and so on that suffices; null when a million do not.</returns>
    /// <exception cref="ArgumentException">The sample is empty, or a share is outside its range.</exception>
    public static int? SamplesFor(ReadOnlySpan<double> sorted, double share, double confidence, double tolerance)
    {
        const int Most = 1 << 20;
        var limit = Value(sorted, share) * (1 + tolerance);
        for (var n = 32; n <= Most; n *= 2)
        {
            if (UpperBoundIndex(n, share, confidence) is { } index && sorted[(int)((long)index * sorted.Length / n)] <= limit)
            {
                return n;
            }
        }

        return null;
    }

    // The least k, counted from 0, such that fewer than k + 1 of n values fall below the percentile with that confidence.
    static int? UpperBoundIndex(int n, double share, double confidence)
    {
        if (!(confidence > 0 && confidence < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(confidence), confidence, "A confidence lies between 0 and 1.");
        }

        var logOfOdds = Math.Log(share) - Math.Log(1 - share);
        var logOfMass = n * Math.Log(1 - share); // in logarithms, for the plain mass underflows from some hundred values on
        var below = 0.0;
        for (var k = 0; k < n; k++)
        {
            below += Math.Exp(logOfMass);
            if (below >= confidence)
            {
                return k;
            }

            logOfMass += Math.Log((double)(n - k) / (k + 1)) + logOfOdds;
        }

        return null;
    }

    static void CheckSample(ReadOnlySpan<double> sorted, double share)
    {
        if (sorted.IsEmpty)
        {
            throw new ArgumentException("An empty sample has no percentile.", nameof(sorted));
        }

        if (!(share > 0 && share < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(share), share, "A percentile's share lies between 0 and 1.");
        }
    }
}
