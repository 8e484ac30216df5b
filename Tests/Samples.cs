namespace MaestroDeploy.Tests;

/// <summary>Numbers and folders that tests feed in.</summary>
static class Samples
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

/// <summary>A folder of its own for one test, gone with it.</summary>
sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("maestro-test-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
