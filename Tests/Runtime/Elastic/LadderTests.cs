using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Elastic;
using MaestroDeploy.Tests.Profiles;

namespace MaestroDeploy.Tests.Runtime.Elastic;

[TestClass]
public sealed class LadderTests
{
    static readonly FamilyManifest Family = Samples.Manifest(
        Samples.Variant("a", 800, 0.95), Samples.Variant("b", 400, 0.95), Samples.Variant("c", 200, 0.90), Samples.Variant("d", 100, 0.80));

    static readonly LatencyProfile Profile = Samples.Profile(
        Samples.Latency("a", 800), Samples.Latency("b", 400), Samples.Latency("c", 200), Samples.Latency("d", 100));

    [TestMethod]
    public void Of_AWholeProfile_LeavesOutWhatIsSlowerAndNoBetter() => Assert.AreEqual("b 400, c 200, d 100", Of(Profile, new ServiceLevel(), "b"));

    [TestMethod]
    public void Of_TheSelectedVariant_IsAlwaysThere() => Assert.AreEqual("a 800, b 400, c 200, d 100", Of(Profile, new ServiceLevel(), "a"));

    [TestMethod]
    public void Of_AFloorAndASize_BoundBothEnds() =>
        Assert.AreEqual("c 200", Of(Profile, new ServiceLevel { MinAccuracy = 0.9, MaxBytes = 800 }, "c"));

    [TestMethod]
    public void Of_APartOfTheProfile_GuessesTheRestByMacs()
    {
        var partly = Samples.Profile(Samples.Latency("c", 203)) with { CallOverheadUs = 3 }; // 1 µs a MAC, and 3 for the call

        Assert.AreEqual("b 403, c 203, d 103", Of(partly, new ServiceLevel(), "c"));
    }

    [TestMethod]
    public void Of_TwoNearVariantsMeasuredTheWrongWayRound_LetsNoLargerOnePassForFaster()
    {
        var partly = Samples.Profile(Samples.Latency("c", 5), Samples.Latency("d", 5.2)) with { CallOverheadUs = 3 };

        Assert.AreEqual("a 5.2, c 5", Of(partly, new ServiceLevel { MinAccuracy = 0.9 }, "c"));
    }

    static string Of(LatencyProfile profile, ServiceLevel level, string selected) =>
        string.Join(", ", Ladder.Of(Family, profile, level, Family.Find(selected)!).Select(rung => $"{rung.Variant} {rung.ExpectedUs}"));
}
