using MaestroDeploy.Profiles;

namespace MaestroDeploy.Tests.Profiles;

[TestClass]
public sealed class PercentilesTests
{
    [TestMethod]
    [DataRow(1, 0.5, 1.0)]
    [DataRow(10, 0.5, 6.0)]
    [DataRow(10, 0.9, 10.0)]
    [DataRow(64, 0.9, 58.0)] // index 57.6, rounded down, counted from 0
    public void Value_OneToN_IsAtIndexNTimesP(int n, double share, double expected) =>
        Assert.AreEqual(expected, Percentiles.Value(OneTo(n), share));

    [TestMethod]
    [DataRow(4, 0.5, null, DisplayName = "1 - 1/2^4 = 0.9375 < 0.95: too small")]
    [DataRow(5, 0.5, 5.0, DisplayName = "1 - 1/2^5 = 0.96875, and 26/32 is not enough for the 4th")]
    [DataRow(10, 0.5, 9.0, DisplayName = "P(bin(10, 1/2) <= 8) = 1013/1024, and <= 7 is 968/1024 = 0.9453")]
    [DataRow(28, 0.9, null, DisplayName = "1 - 0.9^28 = 0.9477: too small")]
    [DataRow(29, 0.9, 29.0, DisplayName = "1 - 0.9^29 = 0.9529")]
    [DataRow(58, 0.95, null, DisplayName = "1 - 0.95^58 = 0.9490: too small")]
    [DataRow(59, 0.95, 59.0, DisplayName = "1 - 0.95^59 = 0.9515")]
    public void UpperBound_OneToN_IsTheOrderStatisticOfTheBinomial(int n, double share, double? expected) =>
        Assert.AreEqual(expected, Percentiles.UpperBound(OneTo(n), share, 0.95));

    [TestMethod]
    public void UpperBound_LargeSample_DoesNotUnderflow()
    {
        // The normal approximation: n·p + 1.645·sqrt(n·p·(1 − p)) = 90 000 + 156.
        var bound = Percentiles.UpperBound(OneTo(100_000), 0.9, 0.95)!.Value;

        Assert.AreEqual(90_156, bound, 3);
    }

    [TestMethod]
    [DataRow(0.0)]
    [DataRow(1.0)]
    [DataRow(double.NaN)]
    public void Value_ShareOutOfRange_IsRefused(double share) =>
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Percentiles.Value(OneTo(3), share));

    [TestMethod]
    public void Value_EmptySample_IsRefused() => Assert.ThrowsExactly<ArgumentException>(() => Percentiles.Value([], 0.5));

    [TestMethod]
    public void Of_KnownSample_GivesTheStatisticsByHand()
    {
        var statistics = LatencyStatistics.Of([3, 1, 2, 5, 4]);

        Assert.AreEqual(5, statistics.Samples);
        Assert.AreEqual(1, statistics.MinUs);
        Assert.AreEqual(3, statistics.P50Us);
        Assert.AreEqual(5, statistics.P90Us);
        Assert.AreEqual(5, statistics.P50UpperUs);
        Assert.IsNull(statistics.P90UpperUs);
        Assert.IsNull(statistics.P99Us);
        Assert.AreEqual(1, statistics.MadUs); // distances 0 1 1 2 2
        Assert.AreEqual(Math.Sqrt(2.5) / 3, statistics.CoefficientOfVariation, 1e-12);
        Assert.IsTrue(statistics.Unstable);
    }

    [TestMethod]
    [DataRow(661, false)]
    [DataRow(662, true)]
    public void Of_SampleOfThatSize_HasP99OnlyFromItsFloor(int samples, bool has) =>
        Assert.AreEqual(has, LatencyStatistics.Of(OneTo(samples)).P99Us is not null);

    [TestMethod]
    public void Of_SteadyTimes_IsNotUnstable() => Assert.IsFalse(LatencyStatistics.Of([100, 101, 99, 100]).Unstable);

    [TestMethod]
    public void Of_NotANumber_IsRefused() => Assert.ThrowsExactly<ArgumentException>(() => LatencyStatistics.Of([1, double.NaN]));

    static double[] OneTo(int n) => [.. Enumerable.Range(1, n).Select(value => (double)value)];

    [TestMethod]
    public void SamplesFor_EqualValues_IsTheLeast() => Assert.AreEqual(32, Percentiles.SamplesFor([5, 5, 5], 0.90, 0.95, 0.05));

    [TestMethod]
    public void SamplesFor_AWiderSpread_NeedsMore()
    {
        var narrow = Enumerable.Range(0, 2000).Select(i => 1000.0 + i).ToArray();
        var wide = Enumerable.Range(0, 2000).Select(i => 1000.0 + (20 * i)).ToArray();

        var (few, many) = (Percentiles.SamplesFor(narrow, 0.90, 0.95, 0.05), Percentiles.SamplesFor(wide, 0.90, 0.95, 0.05));

        Assert.IsLessThan(many!.Value, few!.Value);
        Assert.AreEqual(32, few);
    }
}
