using MaestroDeploy.Profiles;

namespace MaestroDeploy.Tests.Profiles;

[TestClass]
public sealed class RecordsTests
{
    [TestMethod]
    [DataRow("N", false)]
    [DataRow("?", false)]
    [DataRow("R", true)]
    public void LeavesAxesOpen_ALaterInputsFirstAxis_DoesUnlessItIsTheBatch(string axis, bool expected)
    {
        var manifest = Samples.Manifest();

        var two = new FamilyManifest(manifest.Name, 8, 17, [.. manifest.Inputs, new("rois", "float32", [axis, 4])], manifest.Outputs, manifest.Layers, manifest.Provenance,
            manifest.Files, manifest.Dense, manifest.Variants);

        Assert.AreEqual(expected, two.LeavesAxesOpen);
    }

    [TestMethod]
    [DataRow(0.0)]
    [DataRow(-0.1)]
    [DataRow(1.0001)]
    [DataRow(double.NaN)]
    public void Budget_OutsideItsRange_IsRefused(double share) =>
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new Budget(share));

    [TestMethod]
    public void RankPlan_SameLayersInAnotherOrder_IsEqual()
    {
        var plan = Samples.Plan(("fc1", 8), ("fc2", null));
        var other = Samples.Plan(("fc2", null), ("fc1", 8));

        Assert.AreEqual(plan, other);
        Assert.AreEqual(plan.GetHashCode(), other.GetHashCode());
        Assert.AreEqual("fc1=8 fc2=dense", plan.ToString());
        CollectionAssert.AreEqual(new[] { "fc2", "fc1" }, other.Layers.Keys.ToArray());
    }

    [TestMethod]
    public void RankPlan_AnotherRank_IsNotEqual()
    {
        Assert.AreNotEqual(Samples.Plan(("fc1", 8)), Samples.Plan(("fc1", 9)));
        Assert.AreNotEqual(Samples.Plan(("fc1", 8)), Samples.Plan(("fc1", null)));
    }

    [TestMethod]
    public void VariantLatency_ABoundBelowWhatItBounds_IsRefused()
    {
        var latency = Samples.Latency("b50", 1000);

        var refused = Assert.ThrowsExactly<ArgumentException>(() => latency with { Steady = latency.Steady with { P90UpperUs = 900 } });

        Assert.Contains("p90", refused.Message);
    }

    [TestMethod]
    public void Manifest_SmallerVariantFirst_IsRefused()
    {
        var refused = Assert.ThrowsExactly<ArgumentException>(
            () => Samples.Manifest(Samples.Variant("small", 1), Samples.Variant("large", 2)));

        Assert.Contains("'large'", refused.Message);
    }

    [TestMethod]
    public void Find_AnyId_IsThatVariantOrNull()
    {
        var manifest = Samples.Manifest();

        Assert.AreSame(manifest.Variants[0], manifest.Find("b50"));
        Assert.AreSame(manifest.Dense, manifest.Find("dense"));
        Assert.IsNull(manifest.Find("b5"));
    }

    [TestMethod]
    public void FileHashOf_AFile_IsItsLengthAndSha256()
    {
        using var folder = new TemporaryFolder();

        var hash = FileHash.Of(folder.Write("abc.txt", "abc"));

        // The example of FIPS 180-2, appendix B.1.
        Assert.AreEqual(new FileHash("abc.txt", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), hash);
    }

    [TestMethod]
    [DataRow("Intel(R) Core(TM) i7 @ 3.00GHz", "intel-r-core-tm-i7-3-00ghz")]
    [DataRow("  ", "unknown")]
    [DataRow("../É/..", "unknown")]
    public void Slug_AnyText_IsAFileName(string text, string expected) => Assert.AreEqual(expected, DeviceFingerprint.Slug(text));

    [TestMethod]
    public void StaleBecause_SameUse_IsNull() =>
        Assert.IsNull(Samples.Profile().StaleBecause(Samples.Sha, Samples.Device() with { MemoryBytes = 1 }, Samples.Use));

    [TestMethod]
    public void StaleBecause_AnyMismatch_NamesIt()
    {
        var profile = Samples.Profile();
        var here = Samples.Device();

        Assert.Contains("family", profile.StaleBecause(new string('b', 64), here, Samples.Use)!);
        Assert.Contains("'Some CPU', not 'Other'", profile.StaleBecause(Samples.Sha, here with { Cpu = "Other" }, Samples.Use)!);
        Assert.Contains("'none', not 'powersave'", profile.StaleBecause(Samples.Sha, here with { Governor = "powersave" }, Samples.Use)!);
        Assert.Contains("on cpu, not on cuda:0", profile.StaleBecause(Samples.Sha, here, Samples.Use with { Provider = "cuda:0" })!);
        Assert.Contains("2 threads, not 4", profile.StaleBecause(Samples.Sha, here, Samples.Use with { Threads = 4 })!);
        Assert.Contains("batch 1, not 8", profile.StaleBecause(Samples.Sha, here, Samples.Use with { Batch = 8 })!);
        Assert.Contains("threads that spin, not sleep", profile.StaleBecause(Samples.Sha, here, Samples.Use with { Spinning = false })!);
        Assert.Contains("prepacked weights, not on mapped ones", profile.StaleBecause(Samples.Sha, here, Samples.Use with { Prepacked = false })!);
    }

    [TestMethod]
    public void StaleBecause_AProfileThatDoesNotSayHow_IsReadAndSaysWhatItLacks()
    {
        using var folder = new TemporaryFolder();
        var text = ProfilesJson.ToText(Samples.Profile()).Replace("\"prepacked\": true,", "", StringComparison.Ordinal);
        var withoutEither = text.Replace("\"spinning\": true,", "", StringComparison.Ordinal);

        Assert.AreEqual("It does not say whether its weights were prepacked.", Problem(text));
        Assert.AreEqual("It does not say whether its idle threads spun.", Problem(withoutEither));

        string? Problem(string profile) => ProfilesJson.Read<LatencyProfile>(folder.Write("profile.json", profile)).StaleBecause(Samples.Sha, Samples.Device(), Samples.Use);
    }
}
