using MaestroDeploy.Data;

namespace MaestroDeploy.Tests.Data;

[TestClass]
public sealed class AugmentationTests
{
    // Black becomes 0 in the first channel and -2 in the second.
    static readonly PixelScaling TwoChannels = PixelScaling.Normalise([0, 0.5], [1, 0.25]);

    static readonly SampleSet Set = SampleSet.FromPixels("images", [2, 3, 4], 1, new byte[24], [0], TwoChannels);

    [TestMethod]
    public void Apply_CropAndFlip_MovesEveryChannelAlikeAndFillsWithItsBlack()
    {
        var samples = Numbered(1);

        new Augmentation(1, true).Apply(samples, 1, Set, new Scripted(0.99, 0.0, 0.5)); // from 1 down and 1 left, mirrored

        float[] expected =
        [
            7, 6, 5, 0,
            11, 10, 9, 0,
            0, 0, 0, 0,

            19, 18, 17, -2,
            23, 22, 21, -2,
            -2, -2, -2, -2,
        ];
        CollectionAssert.AreEqual(expected, samples);
    }

    [TestMethod]
    public void Apply_TheOtherWay_FillsAboveAndOnTheRight()
    {
        var samples = Numbered(1);

        new Augmentation(1, true).Apply(samples, 1, Set, new Scripted(0.0, 0.99, 0.49)); // from 1 up and 1 right, not mirrored

        CollectionAssert.AreEqual(new float[] { 0, 0, 0, 0, 2, 3, 4, 0, 6, 7, 8, 0 }, samples[..12]);
        CollectionAssert.AreEqual(new float[] { -2, -2, -2, -2, 14, 15, 16, -2, 18, 19, 20, -2 }, samples[12..]);
    }

    [TestMethod]
    public void Apply_ChannelsLast_MovesPixelsAsWhenTheyAreFirst()
    {
        float[] first = Numbered(1), last = Interleaved(Numbered(1));

        new Augmentation(1, true).Apply(first, 1, Set, new Scripted(0.99, 0.0, 0.5));
        new Augmentation(1, true).Apply(last, 1, Set.As(new SampleFormat { Layout = SampleLayout.Nhwc }), new Scripted(0.99, 0.0, 0.5));

        CollectionAssert.AreEqual(Interleaved(first), last);

        static float[] Interleaved(float[] planes) => [.. planes[..12].Zip(planes[12..], (a, b) => new[] { a, b }).SelectMany(pixel => pixel)];
    }

    [TestMethod]
    public void Apply_ASeed_IsTheSameAgain()
    {
        var (first, second) = (Numbered(8), Numbered(8));

        new Augmentation(2, true).Apply(first, 8, Set, new Random(5));
        new Augmentation(2, true).Apply(second, 8, Set, new Random(5));

        CollectionAssert.AreEqual(first, second);
        CollectionAssert.AreNotEqual(Numbered(8), first);
    }

    [TestMethod]
    public void Apply_ManyImages_ShiftsAndMirrorsThemEquallyOften()
    {
        const int Count = 9000;
        var set = SampleSet.FromFloats("dots", [1, 5, 5], 1, new float[25], [0]);
        var samples = new float[Count * 25];
        for (var image = 0; image < Count; image++)
        {
            samples[image * 25 + 12] = 1; // the middle
            samples[image * 25 + 13] = 2; // right of it, so that a mirror image shows
        }

        new Augmentation(1, true).Apply(samples, Count, set, new Random(1));

        var places = samples.Chunk(25).CountBy(image => Array.IndexOf(image, 1f)).ToDictionary();
        var mirrored = samples.Chunk(25).Count(image => Array.IndexOf(image, 2f) < Array.IndexOf(image, 1f));
        CollectionAssert.AreEquivalent(new[] { 6, 7, 8, 11, 12, 13, 16, 17, 18 }, places.Keys);
        Assert.IsTrue(places.Values.All(times => Math.Abs(times - Count / 9) < 150), string.Join(" ", places)); // 5 deviations
        Assert.AreEqual(Count / 2, mirrored, 240.0);
    }

    [TestMethod]
    [DataRow(0, false, DisplayName = "nothing")]
    [DataRow(1, false, DisplayName = "a crop")]
    [DataRow(0, true, DisplayName = "a flip")]
    public void Apply_Whatever_TakesThreeNumbersASample(int cropPadding, bool flip)
    {
        var random = new Scripted(0.5, 0.5, 0.5, 0.5, 0.5, 0.5);

        new Augmentation(cropPadding, flip).Apply(Numbered(2), 2, Set, random);

        Assert.AreEqual(0, random.Left);
    }

    [TestMethod]
    public void Apply_NothingAskedFor_ChangesNothing()
    {
        var samples = Numbered(3);

        new Augmentation(0, false).Apply(samples, 3, Set, new Random(1));

        CollectionAssert.AreEqual(Numbered(3), samples);
    }

    [TestMethod]
    public void Apply_FewerSamplesThanThereIsRoomFor_LeavesTheRestAlone()
    {
        var samples = Numbered(2);

        new Augmentation(1, true).Apply(samples, 1, Set, new Random(1));

        CollectionAssert.AreEqual(Numbered(2)[24..], samples[24..]);
    }

    [TestMethod]
    public void Apply_SamplesThatAreNoImages_NamesTheirShape()
    {
        var rows = SampleSet.FromFloats("rows", [3, 4], 1, new float[12], [0]);

        var error = Assert.ThrowsExactly<ArgumentException>(() => new Augmentation(1, true).Apply(new float[12], 1, rows, new Random(1)));

        StringAssert.Contains(error.Message, "[3, 4]");
    }

    [TestMethod]
    [DataRow(3, 1, 24, DisplayName = "a border as wide as the image is high")]
    [DataRow(int.MaxValue, 1, 24, DisplayName = "a border beyond counting")]
    [DataRow(1, 2, 24, DisplayName = "more samples than values")]
    [DataRow(1, -1, 24, DisplayName = "a negative count")]
    public void Apply_WhatDoesNotFit_IsRefused(int cropPadding, int count, int values) => Assert.ThrowsExactly<ArgumentException>(
        () => new Augmentation(cropPadding, false).Apply(new float[values], count, Set, new Random(1)));

    [TestMethod]
    public void Augmentation_ANegativeBorder_IsRefused() =>
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new Augmentation(-1, false));

    /// <summary>Samples that count up from 1, on through all of them.</summary>
    static float[] Numbered(int samples) => [.. Enumerable.Range(1, samples * 24).Select(i => (float)i)];

    /// <summary>Gives these numbers, one after another, and no others.</summary>
    sealed class Scripted(params double[] numbers) : Random
    {
        int _next;

        public int Left => numbers.Length - _next;

        public override double NextDouble() => numbers[_next++];
    }
}
