using MaestroDeploy.Data;

namespace MaestroDeploy.Tests.Data;

[TestClass]
public sealed class SampleSetTests
{
    // Two channels of 1x2: the first is pixels / 255, the second (pixels / 255 - 0.5) / 0.25.
    static readonly PixelScaling TwoChannels = PixelScaling.Normalise([0, 0.5], [1, 0.25]);

    static SampleSet Pixels => SampleSet.FromPixels("p", [2, 1, 2], 2, [0, 255, 0, 255, 51, 102, 153, 204], [0, 1], TwoChannels);

    [TestMethod]
    public void CopySamples_Pixels_ScalesEachChannelByItsOwnRule()
    {
        var copied = new float[8];

        Pixels.CopySamples([1, 0], copied);

        float[] expected = [0.2f, 0.4f, 0.4f, 1.2f, 0, 1, -2, 2];
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.AreEqual(expected[i], copied[i], 1e-6f, $"value {i}"); // the table is rounded once, from double
        }
    }

    [TestMethod]
    public void CopySamples_ALongerDestination_LeavesTheRestAlone()
    {
        var copied = new float[] { 9, 9, 9 };

        Numbered(5).CopySamples([3], copied);

        CollectionAssert.AreEqual(new float[] { 3, 9, 9 }, copied);
    }

    [TestMethod]
    public void CopySamples_TooShortADestination_SaysHowMuchIsNeeded()
    {
        var error = Assert.ThrowsExactly<ArgumentException>(() => Pixels.CopySamples([0, 1], new float[7]));

        StringAssert.Contains(error.Message, "need 8");
    }

    [TestMethod]
    [DataRow(-1)]
    [DataRow(2)]
    public void CopySamples_AnIndexOutside_IsRefused(int index) =>
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Pixels.CopySamples([index], new float[4]));

    [TestMethod]
    public void Batches_ACountThatDoesNotDivide_EndsWithASmallerOneInOrder()
    {
        var batches = Numbered(5).Batches(2).ToArray();

        CollectionAssert.AreEqual(new[] { 2, 2, 1 }, batches.Select(batch => batch.Count).ToArray());
        CollectionAssert.AreEqual(new float[] { 0, 1, 2, 3, 4 }, batches.SelectMany(batch => batch.Samples).ToArray());
        CollectionAssert.AreEqual(new[] { 0, 1, 2, 0, 1 }, batches.SelectMany(batch => batch.Labels).ToArray());
    }

    [TestMethod]
    public void Batches_NoSize_IsRefusedAtOnce() => Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => { Numbered(5).Batches(0); });

    [TestMethod]
    public void Take_FromASortedSet_KeepsEveryClassInProportion()
    {
        var labels = Enumerable.Repeat(0, 60).Concat(Enumerable.Repeat(1, 30)).Concat(Enumerable.Repeat(2, 10)).ToArray();
        var set = SampleSet.FromFloats("sorted", [1], 3, [.. Enumerable.Range(0, 100).Select(i => (float)i)], labels);

        var taken = set.Take(10);

        CollectionAssert.AreEqual(new[] { 0, 0, 0, 0, 0, 0, 1, 1, 1, 2 }, taken.Labels.ToArray());
        CollectionAssert.AreEqual(new float[] { 0, 1, 2, 3, 4, 5, 60, 61, 62, 90 }, taken.Batches(10).Single().Samples);
    }

    [TestMethod]
    public void Take_ASmallerCount_LiesWithinALargerOneAndWithinATakeOfIt()
    {
        var set = DataSets.Load("digits").Test;

        CollectionAssert.IsSubsetOf(Samples(set.Take(20)), Samples(set.Take(90)));
        CollectionAssert.IsSubsetOf(Samples(set.Take(90).Take(20)), Samples(set.Take(90)));
        Assert.HasCount(20, Samples(set.Take(90).Take(20)));

        static string[] Samples(SampleSet set) => [.. set.Batches(1).Select(batch => string.Join(' ', batch.Samples))];
    }

    [TestMethod]
    public void Take_MoreThanThereIs_IsTheWholeSet() => Assert.AreEqual(5, Numbered(5).Take(6).Count);

    [TestMethod]
    public void Split_AnyShare_PutsEverySampleInOnePartAndEveryClassInProportion()
    {
        var (kept, heldOut) = Numbered(300).Split(0.1, seed: 1);

        Assert.AreEqual(("numbered", "numbered/validation"), (kept.Name, heldOut.Name));
        CollectionAssert.AreEquivalent(Values(Numbered(300)), Values(kept).Concat(Values(heldOut)).ToArray());
        for (var label = 0; label < 3; label++)
        {
            Assert.AreEqual(10, heldOut.Labels.Count(label), $"class {label}");
        }

        foreach (var part in new[] { kept, heldOut })
        {
            CollectionAssert.AreEqual(Array.ConvertAll(Values(part), value => (int)value % 3), part.Labels.ToArray());
            CollectionAssert.AreEqual(Values(part).Order().ToArray(), Values(part));
        }
    }

    [TestMethod]
    public void Split_BySeed_IsTheSameAgainAndAnotherForAnother()
    {
        var first = Values(Numbered(300).Split(0.1, seed: 1).HeldOut);

        CollectionAssert.AreEqual(first, Values(Numbered(300).Split(0.1, seed: 1).HeldOut));
        CollectionAssert.AreNotEqual(first, Values(Numbered(300).Split(0.1, seed: 2).HeldOut));
    }

    [TestMethod]
    [DataRow(1e-9, 1, DisplayName = "nearly nothing")]
    [DataRow(0.5, 5, DisplayName = "half")]
    [DataRow(1 - 1e-9, 9, DisplayName = "nearly all")]
    public void Split_AShareOfFew_LeavesASampleInEachPart(double share, int expected)
    {
        var (kept, heldOut) = Numbered(10).Split(share, seed: 3);

        Assert.AreEqual((10 - expected, expected), (kept.Count, heldOut.Count));
    }

    [TestMethod]
    public void Split_ATrainingSplit_NamesTheOtherAfterTheSet()
    {
        var (kept, heldOut) = DataSets.Load("digits").Train.Split(0.2, seed: 0);

        Assert.AreEqual(("digits/train", "digits/validation"), (kept.Name, heldOut.Name));
        Assert.AreEqual(1442, kept.Count + heldOut.Count);
    }

    [TestMethod]
    [DataRow(0.0)]
    [DataRow(1.0)]
    [DataRow(double.NaN)]
    public void Split_NoShare_IsRefused(double share) =>
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Numbered(5).Split(share, seed: 0));

    [TestMethod]
    public void Split_ASingleSample_IsRefused() => Assert.ThrowsExactly<ArgumentException>(() => Numbered(1).Split(0.5, seed: 0));

    [TestMethod]
    [DataRow(new[] { 1 }, 3, new[] { 0, 1 }, DisplayName = "more values than labels")]
    [DataRow(new[] { 1 }, 0, new int[0], DisplayName = "no samples")]
    [DataRow(new[] { 0 }, 2, new[] { 0, 1 }, DisplayName = "an empty axis")]
    [DataRow(new[] { 1 }, 2, new[] { 0, 2 }, DisplayName = "a label too large")]
    [DataRow(new[] { 1 }, 2, new[] { -1, 0 }, DisplayName = "a negative label")]
    public void FromFloats_PartsThatDoNotFit_AreRefused(int[] shape, int values, int[] labels) =>
        Assert.ThrowsExactly<ArgumentException>(() => SampleSet.FromFloats("x", [.. shape], classes: 2, new float[values], labels));

    /// <summary>Sample i is the single value i, of class i mod 3.</summary>
    static SampleSet Numbered(int count) => SampleSet.FromFloats(
        "numbered", [1], 3, [.. Enumerable.Range(0, count).Select(i => (float)i)], [.. Enumerable.Range(0, count).Select(i => i % 3)]);

    static float[] Values(SampleSet set) => set.Batches(set.Count).Single().Samples;
}
