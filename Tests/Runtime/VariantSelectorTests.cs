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
        var selection = VariantSelector.Select(Family, Profile, Within(limitMs));

        Assert.AreEqual(expected, selection.Variant.Id);
        Assert.AreEqual(expected, selection.Latency.Id);
        Assert.IsTrue(selection.Fits);
    }

    [TestMethod]
    public void Select_WithinTheLimit_SaysWhyWithTheNumbers()
    {
        var selection = VariantSelector.Select(Family, Profile, Within(2.5));

        Assert.AreEqual(
            "'medium' is the most accurate variant (0.95) that keeps p90 within 2.5 ms: "
            + "2 ms measured, at most 2.2 ms with 95 % confidence.",
            selection.Reason);
    }

    [TestMethod]
    public void Select_NothingIsFastEnough_PicksFastestAndSaysHowLate()
    {
        var selection = VariantSelector.Select(Family, Profile, Within(1) with { Percentile = 95 });

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
        var selection = VariantSelector.Select(Family, Profile, Within(2.5) with { MinAccuracy = floor });

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

        var selection = VariantSelector.Select(family, Profile, Within(2.5));

        Assert.AreEqual("medium", selection.Variant.Id);
        Assert.IsFalse(VariantSelector.Select(family, Profile, new ServiceLevel { MinAccuracy = 0.1 }).Fits);
    }

    [TestMethod]
    public void Select_TooFewSamplesForABound_KeepsNoLimit()
    {
        var latency = Samples.Latency("small", 1000);
        var family = Samples.Manifest(Samples.Variant("small", 100, 0.9));
        var profile = Samples.Profile(latency with { Steady = latency.Steady with { Samples = 20, P90UpperUs = null } });

        var selection = VariantSelector.Select(family, profile, Within(5));

        Assert.IsFalse(selection.Fits);
        Assert.Contains("too few samples", selection.Reason);
    }

    [TestMethod]
    public void Select_TiedWithinTheNoise_PicksTheSmallerAndSaysSo()
    {
        var family = Samples.Manifest(Samples.Variant("large", 900, 0.95), Samples.Variant("small", 100, 0.95));
        var profile = Samples.Profile(Samples.Latency("large", 1000), Samples.Latency("small", 1050)); // bounds to 1100 and 1155

        var selection = VariantSelector.Select(family, profile);

        Assert.AreEqual("small", selection.Variant.Id);
        Assert.EndsWith("As accurate and, within the noise, as fast: 'large'; of those the smallest was taken.", selection.Reason);
    }

    [TestMethod]
    public void Select_SizeLimit_IsKeptBeforeLatency()
    {
        var fits = VariantSelector.Select(Family, Profile, new ServiceLevel { MaxBytes = 2000 });
        var late = VariantSelector.Select(Family, Profile, Within(0.5) with { MaxBytes = 2000 });
        var large = VariantSelector.Select(Family, Profile, new ServiceLevel { MaxBytes = 399 });

        Assert.AreEqual("medium", fits.Variant.Id);
        Assert.Contains("keeps its files within 2 kB", fits.Reason);
        Assert.AreEqual(("small", false), (late.Variant.Id, late.Fits));
        Assert.AreEqual(("small", false), (large.Variant.Id, large.Fits));
        Assert.Contains("'small' is the smallest: 0.4 kB of files", large.Reason);
    }

    [TestMethod]
    public void Select_MemoryLimit_TakesOnlyWhatWasMeasuredWithinIt()
    {
        var profile = Samples.Profile(
            Samples.Latency("large", 3000), // its memory was not measured
            Samples.Latency("medium", 2000) with { PrivateBytes = 5_000_000 },
            Samples.Latency("small", 1000) with { PrivateBytes = 1_000_000 });

        Assert.AreEqual("medium", VariantSelector.Select(Family, profile, new ServiceLevel { MaxMemoryBytes = 5_000_000 }).Variant.Id);
        var missed = VariantSelector.Select(Family, profile, new ServiceLevel { MaxMemoryBytes = 10 });
        Assert.AreEqual(("small", false), (missed.Variant.Id, missed.Fits));
        Assert.Contains("1 MB of memory", missed.Reason);
        Assert.Contains("was not measured", VariantSelector.Select(Family, Profile, new ServiceLevel { MaxMemoryBytes = 10 }).Reason);
    }

    [TestMethod]
    public void ServiceLevel_ValuesOutOfRange_AreRefused()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new ServiceLevel { MaxLatency = TimeSpan.Zero });
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new ServiceLevel { Percentile = 99 });
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new ServiceLevel { MinAccuracy = double.NaN });
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new ServiceLevel { MaxBytes = 0 });
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new ServiceLevel { MaxMemoryBytes = -1 });
    }

    [TestMethod]
    public void Select_AnotherFamilysProfile_IsRefused()
    {
        var profile = Samples.Profile(Samples.Latency("stranger", 1));

        Assert.Contains("lenet", Assert.ThrowsExactly<FamilyException>(() => VariantSelector.Select(Family, profile)).Message);
    }

    static ServiceLevel Within(double? milliseconds) =>
        new() { MaxLatency = milliseconds is { } limit ? TimeSpan.FromMicroseconds(limit * 1000) : null };
}
