using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using MaestroDeploy.Tests.Profiles;

namespace MaestroDeploy.Tests.Runtime;

[TestClass]
public sealed class CalibrationSearchTests
{
    // Eight variants of 800 to 100 MACs; accuracy falls with them.
    static readonly Variant[] Variants =
        [.. Enumerable.Range(0, 8).Select(i => Samples.Variant($"b{8 - i}", 100 * (8 - i), 0.9 - (0.01 * i)))];

    static readonly FamilyManifest Family = Samples.Manifest(Variants);

    [TestMethod]
    public void Next_AnyLimit_FindsWhatMeasuringAllWouldWithFew()
    {
        for (var limit = 50.0; limit <= 1000; limit += 50)
        {
            var level = new ServiceLevel { MaxLatency = TimeSpan.FromMicroseconds(limit) };
            var measured = Search(level, variant => variant.Macs);

            Assert.IsLessThanOrEqualTo(5, measured.Count, $"limit {limit}");
            Assert.AreEqual(
                VariantSelector.Select(Family, Samples.Profile([.. Variants.Select(variant => Samples.Latency(variant.Id, variant.Macs))]), level).Variant.Id,
                VariantSelector.Select(Family, Samples.Profile([.. measured]), level).Variant.Id, $"limit {limit}");
        }
    }

    [TestMethod]
    public void Next_AStaircase_FindsTheLargestOnTheLastStepThatFits()
    {
        var level = new ServiceLevel { MaxLatency = TimeSpan.FromMicroseconds(500) };

        var measured = Search(level, variant => variant.Macs <= 600 ? 300 : 900);

        Assert.AreEqual("b6", VariantSelector.Select(Family, Samples.Profile([.. measured]), level).Variant.Id);
    }

    [TestMethod]
    public void Next_NoLatencyLimit_MeasuresTheMostAccurateAlone() =>
        Assert.AreEqual("b8", Search(new ServiceLevel(), variant => variant.Macs).Single().Id);

    [TestMethod]
    public void Next_SizeLimit_LeavesOutTheLarger() =>
        Assert.AreEqual("b3", Search(new ServiceLevel { MaxBytes = 1300 }, variant => variant.Macs).Single().Id);

    [TestMethod]
    public void Next_AllTooLarge_MeasuresTheSmallestFileAndNotTheFewestMacs()
    {
        var family = Samples.Manifest(Samples.Variant("many", 60, 0.9) with { Bytes = 200 }, Samples.Variant("few", 50, 0.8) with { Bytes = 300 });

        Assert.AreEqual("many", new CalibrationSearch(family, new ServiceLevel { MaxBytes = 100 }, []).Next()!.Id);
        Assert.AreEqual("few", new CalibrationSearch(family, new ServiceLevel { MaxBytes = 250, MaxLatency = TimeSpan.FromMicroseconds(1) }, [Samples.Latency("many", 60)]).Next()!.Id);
    }

    [TestMethod]
    public void CurveHolds_ALargerVariantMuchFaster_DoesNot()
    {
        VariantLatency[] noisy = [Samples.Latency("b4", 100), Samples.Latency("b8", 95)], reversed = [Samples.Latency("b4", 300), Samples.Latency("b8", 100)];

        Assert.IsTrue(new CalibrationSearch(Family, new ServiceLevel(), noisy).CurveHolds);
        Assert.IsFalse(new CalibrationSearch(Family, new ServiceLevel(), reversed).CurveHolds);
    }

    static List<VariantLatency> Search(ServiceLevel level, Func<Variant, double> microseconds)
    {
        var measured = new List<VariantLatency>();
        while (new CalibrationSearch(Family, level, measured).Next() is { } next)
        {
            measured.Add(Samples.Latency(next.Id, microseconds(next)));
        }

        return measured;
    }
}
