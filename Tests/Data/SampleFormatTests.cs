using MaestroDeploy.Data;

namespace MaestroDeploy.Tests.Data;

[TestClass]
public sealed class SampleFormatTests
{
    // The table is rounded once, from double.
    const float Rounding = 1e-6f;

    // One image of three channels and 1 x 2 pixels.
    static SampleSet Colours => SampleSet.FromPixels("c/train", [3, 1, 2], 2, [0, 255, 51, 102, 153, 204], [1], PixelScaling.ToUnit(255));

    [TestMethod]
    public void As_ChannelsLast_InterleavesThem()
    {
        var set = Colours.As(new SampleFormat { Layout = SampleLayout.Nhwc });

        CollectionAssert.AreEqual(new[] { 1, 2, 3 }, set.SampleShape.ToArray());
        CollectionAssert.AreEqual(new[] { 0, 0.2f, 0.6f, 1, 0.4f, 0.8f }, set.Batches(1).Single().Samples);
        CollectionAssert.AreEqual(new[] { 1 }, set.Labels.ToArray());
    }

    [TestMethod]
    public void As_BlueFirstWithMeansOfTheModelsOrder_ScalesEachChannelByItsOwn()
    {
        var format = new SampleFormat { Channels = ChannelOrder.Bgr, Scale = 1, Mean = [1, 2, 3], Std = [2] };

        var set = new DataSet("c", Colours, Colours, "pixels / 255").As(format);

        float[] expected = [76, 101.5f, 24.5f, 50, -1.5f, 126]; // blue less 1, green less 2, red less 3, halved
        var values = set.Test.Batches(1).Single().Samples;
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.AreEqual(expected[i], values[i], Rounding, $"value {i}");
        }

        Assert.AreEqual("(pixels * 1 - mean) / std, channel by channel: mean 3.0000 2.0000 1.0000, std 2.0000 2.0000 2.0000, blue first", set.Scaling);
    }

    [TestMethod]
    public void As_AnExactShareForScale_GivesTheBitsOfTheSetsOwnScaling() => CollectionAssert.AreEqual(
        Colours.Batches(1).Single().Samples, Colours.As(new SampleFormat { Scale = 1.0 / 255 }).Batches(1).Single().Samples);

    [TestMethod]
    public void As_Floats_AreScaledFromTheirValues()
    {
        var set = SampleSet.FromFloats("f", [2], 1, [10, 20], [0]).As(new SampleFormat { Scale = 0.5, Mean = [1] });

        CollectionAssert.AreEqual(new float[] { 4, 9 }, set.Batches(1).Single().Samples);
    }

    [TestMethod]
    public void As_Nothing_IsTheSameSet()
    {
        var set = new DataSet("c", Colours, Colours, "pixels / 255");

        Assert.AreSame(set, set.As(new SampleFormat()));
    }

    [TestMethod]
    public void As_WhatCannotBe_IsRefusedNamingTheOption()
    {
        Refused("--scale", new SampleFormat { Mean = [1] });
        Refused("--scale is 0", new SampleFormat { Scale = 0 });
        Refused("--mean is 1,2", new SampleFormat { Scale = 1, Mean = [1, 2] });
        Refused("--std is 1,1,0", new SampleFormat { Scale = 1, Std = [1, 1, 0] });
        Refused("--mean is NaN", new SampleFormat { Scale = 1, Mean = [double.NaN] });
        Assert.Throws<ArgumentException>(() => SampleSet.FromFloats("f", [2], 1, [10, 20], [0]).As(new SampleFormat { Layout = SampleLayout.Nhwc }));
        Assert.Throws<ArgumentException>(() => SampleSet.FromFloats("f", [1, 1, 1], 1, [10], [0]).As(new SampleFormat { Channels = ChannelOrder.Bgr }));

        static void Refused(string named, SampleFormat format) => Assert.Contains(named, Assert.Throws<ArgumentException>(() => Colours.As(format)).Message);
    }

    [TestMethod]
    public void ShapeFor_AShapeThatOnlyMovesNumbers_IsTakenOnlyOnceALayoutIsNamed()
    {
        var grey = SampleSet.FromFloats("g", [1, 2, 3], 1, new float[6], [0]);
        var flat = grey.As(new SampleFormat { Layout = SampleLayout.Flat });

        CollectionAssert.AreEqual(new[] { 2, 3, 1 }, grey.ShapeFor([2, 3, 1])); // axes of size 1 hold nothing
        Assert.IsNull(grey.ShapeFor([6, 1]));
        Assert.IsNull(grey.ShapeFor([3, 2]));
        CollectionAssert.AreEqual(new[] { 6, 1 }, flat.ShapeFor([6, 1]));
        CollectionAssert.AreEqual(new[] { 6 }, flat.ShapeFor([null]));
        Assert.IsNull(flat.ShapeFor([7, 1]));
        Assert.IsNull(flat.ShapeFor([null, 1]));
        CollectionAssert.AreEqual(new[] { 1, 2, 3 }, grey.ShapeFor([null, null, 3]));
        Assert.Contains("--layout flat", grey.Misfit([6, 1]));
        Assert.Contains("no layout", grey.Misfit([7]));
    }

    [TestMethod]
    public void Split_AFormattedSet_KeepsItsFormat()
    {
        var set = SampleSet.FromPixels("p/train", [3, 1, 1], 1, [0, 51, 102, 153, 204, 255], [0, 0], PixelScaling.ToUnit(255))
            .As(new SampleFormat { Layout = SampleLayout.Nhwc, Channels = ChannelOrder.Bgr });

        var (kept, held) = set.Split(0.5, seed: 1);

        Assert.AreEqual(SampleLayout.Nhwc, kept.Layout);
        CollectionAssert.AreEquivalent(set.Batches(2).Single().Samples, kept.Batches(1).Single().Samples.Concat(held.Batches(1).Single().Samples).ToArray());
    }
}
