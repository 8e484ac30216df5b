namespace MaestroDeploy.Tests;

/// <summary>What tests feed in and compare.</summary>
static class Numbers
{
    /// <summary>Uniform in [-1, 1), the same for the same seed.</summary>
    public static float[] Uniform(int count, int seed = 7)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => 2 * random.NextSingle() - 1)];
    }

    /// <summary>The largest absolute difference between two equally long arrays.</summary>
    public static float LargestDifference(float[] expected, float[] actual)
    {
        Assert.HasCount(expected.Length, actual);
        return expected.Zip(actual, (a, b) => float.IsNaN(a - b) ? float.PositiveInfinity : Math.Abs(a - b)).DefaultIfEmpty().Max();
    }
}
