using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using MaestroDeploy.Tests.Profiles;

namespace MaestroDeploy.Tests.Runtime;

[TestClass]
public sealed class VariantSelectorTests
{
    // Measured 1, 2 and 3 ms at every percentile; the bounds that decide are a tenth above.
    static readonly FamilyManifest Family = Samples.Manifest(
        Samples.Variant("large", 900, 0.98), Samples.Variant("medium", 500, 0.95), Samples.Variant("small", 100, 0.90));

    static readonly LatencyProfile Profile = Samples.Profile(
        Samples.Latency("large", 3000), Samples.Latency("medium", 2000), Samples.Latency("small", 1000));

    [TestMethod]
    [DataRow(null, "large", DisplayName = "no limit")]
    [DataRow(5.0, "large")]
    [DataRow(3.3, "large", DisplayName = "equal to the bound")]
    [DataRow(3.2, "medium", DisplayName = "above the value, below the bound")]
    [DataRow(1.1, "small")]
    public void Select_WithinTheLimit_PicksTheMostAccurate(double? limitMs, string expected)
    {
        var selection = VariantSelector.Select(Family, Profile, Milliseconds(limitMs));

        Assert.AreEqual(expected, selection.Variant.Id);
        Assert.AreEqual(expected, selection.Latency.Id);
        Assert.IsTrue(selection.Fits);
    }

    [TestMethod]
    public void Select_WithinTheLimit_SaysWhyWithTheNumbers()
    {
        var selection = VariantSelector.Select(Family, Profile, Milliseconds(2.5));

        Assert.AreEqual(
            "'medium' is the most accurate variant (0.95) that keeps p90 within 2.5 ms: "
            + "2 ms measured, at most 2.2 ms with 95 % confidence.",
            selection.Reason);
    }

    [TestMethod]
    public void Select_NothingIsFastEnough_PicksFastestAndSaysHowLate()
    {
        var selection = VariantSelector.Select(Family, Profile, Milliseconds(1), percentile: 95);

        Assert.AreEqual("small", selection.Variant.Id);
        Assert.IsFalse(selection.Fits);
        Assert.AreEqual(
            "No variant keeps p95 within 1 ms; 'small' is the fastest, 100 µs too late: "
            + "1 ms measured, at most 1.1 ms with 95 % confidence.",
            selection.Reason);
    }

    [TestMethod]
    [DataRow(0.95, true, DisplayName = "equal to the floor")]
    [DataRow(0.951, false)]
    public void Select_AccuracyFloor_IsKeptOrSaidToBeMissed(double floor, bool fits)
    {
        var selection = VariantSelector.Select(Family, Profile, Milliseconds(2.5), minAccuracy: floor);

        Assert.AreEqual("medium", selection.Variant.Id);
        Assert.AreEqual(fits, selection.Fits);
        Assert.AreEqual(!fits, selection.Reason.Contains("but the accuracy asked for is 0.951", StringComparison.Ordinal));
    }

    [TestMethod]
    public void Select_EqualAccuracies_PicksTheFaster()
    {
        var family = Samples.Manifest(Samples.Variant("large", 900, 0.95), Samples.Variant("small", 100, 0.95));

        Assert.AreEqual("small", VariantSelector.Select(family, Profile).Variant.Id);
    }

    [TestMethod]
    public void Select_NoAccuracies_PicksTheLargestInTime()
    {
        var family = Samples.Manifest(Samples.Variant("large", 900), Samples.Variant("medium", 500), Samples.Variant("small", 100));

        var selection = VariantSelector.Select(family, Profile, Milliseconds(2.5));

        Assert.AreEqual("medium", selection.Variant.Id);
        Assert.IsFalse(VariantSelector.Select(family, Profile, minAccuracy: 0.1).Fits);
    }

    [TestMethod]
    public void Select_TooFewSamplesForABound_KeepsNoLimit()
    {
        var latency = Samples.Latency("small", 1000);
        var family = Samples.Manifest(Samples.Variant("small", 100, 0.9));
        var profile = Samples.Profile(latency with { Steady = latency.Steady with { Samples = 20, P90UpperUs = null } });

        var selection = VariantSelector.Select(family, profile, Milliseconds(5));

        Assert.IsFalse(selection.Fits);
        Assert.Contains("too few samples", selection.Reason);
    }

    [TestMethod]
    public void Select_ValuesOutOfRange_AreRefused()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => VariantSelector.Select(Family, Profile, TimeSpan.Zero));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => VariantSelector.Select(Family, Profile, percentile: 99));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => VariantSelector.Select(Family, Profile, minAccuracy: double.NaN));
    }

    [TestMethod]
    public void Select_AnotherFamilysProfile_IsRefused()
    {
        var profile = Samples.Profile(Samples.Latency("stranger", 1));

        Assert.Contains("lenet", Assert.ThrowsExactly<ArgumentException>(() => VariantSelector.Select(Family, profile)).Message);
    }

    static TimeSpan? Milliseconds(double? limit) => limit is { } value ? TimeSpan.FromMicroseconds(value * 1000) : null;
}
