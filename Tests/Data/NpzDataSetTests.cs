using System.IO.Compression;
using System.Runtime.InteropServices;
using MaestroDeploy.Data;

namespace MaestroDeploy.Tests.Data;

[TestClass]
public sealed class NpzDataSetTests : IDisposable
{
    static readonly byte[] TwoPixelImages = [0, 51, 102, 255];

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [TestMethod]
    public void Load_GreyPixels_AreScaledImagesOfOneChannel()
    {
        var set = Load(("x_train", Bytes.Npy("|u1", "(2, 1, 2)", TwoPixelImages)));

        Assert.AreEqual(("mine", "mine/train", "mine/test"), (set.Name, set.Train.Name, set.Test.Name));
        Assert.AreEqual("pixels / 255", set.Scaling);
        CollectionAssert.AreEqual(new[] { 1, 1, 2 }, set.Train.SampleShape.ToArray());
        CollectionAssert.AreEqual(new[] { 0, 0.2f, 0.4f, 1 }, set.Train.Batches(2).Single().Samples);
        CollectionAssert.AreEqual(new[] { 0, 2 }, set.Train.Labels.ToArray());
        CollectionAssert.AreEqual(new[] { 5 }, set.Test.Labels.ToArray());
        Assert.AreEqual((6, 6), (set.Train.Classes, set.Test.Classes));
    }

    [TestMethod]
    public void Load_PixelsOfThreeChannels_ScalesEachAlikeAndBlackIsZero()
    {
        var set = Load(
            ("x_train", Bytes.Npy("|u1", "(2, 3, 1, 1)", [0, 51, 102, 153, 204, 255])), ("x_test", Bytes.Npy("|u1", "(1, 3, 1, 1)", [9, 9, 9])));

        CollectionAssert.AreEqual(new[] { 0, 0.2f, 0.4f, 0.6f, 0.8f, 1 }, set.Train.Batches(2).Single().Samples);
        Assert.AreEqual(0f, set.Train.Black(2));
    }

    /// <summary>Signals of many channels may be one number wide; names of classes are often saved beside them.</summary>
    [TestMethod]
    public void Load_SignalsWithNamesBesideThem_AreTakenAsTheyLie()
    {
        var set = Load(
            ("x_train", Floats("<f4", "(2, 2, 3, 1)", [.. Enumerable.Range(0, 12).Select(i => (float)i)])), ("x_test", Floats("<f4", "(1, 2, 3, 1)", 1, 2, 3, 4, 5, 6)),
            ("y_train", Bytes.Npy("<u2", "(2,)", [1, 0, 0, 0])), ("class_names", Bytes.Npy("<U1", "(1,)", [65, 0, 0, 0])));

        CollectionAssert.AreEqual(new[] { 2, 3, 1 }, set.Train.SampleShape.ToArray());
        CollectionAssert.AreEqual(new[] { 1, 0 }, set.Train.Labels.ToArray());
    }

    [TestMethod]
    [DataRow("<f4", DisplayName = "float32")]
    [DataRow("<f8", DisplayName = "float64")]
    public void Load_Floats_AreTakenAsTheyAre(string code)
    {
        var set = Load(("x_train", Floats(code, "(2, 3)", -1, 0, 1, 2, 3, 4)), ("x_test", Floats(code, "(1, 3)", 5, 6, 7)));

        CollectionAssert.AreEqual(new[] { 3 }, set.Train.SampleShape.ToArray());
        CollectionAssert.AreEqual(new float[] { -1, 0, 1, 2, 3, 4 }, set.Train.Batches(2).Single().Samples);
    }

    [TestMethod]
    [DataRow("x_test", "|u1", "(1, 2, 1)", 2, "0102", "differ in more than their number", DisplayName = "another shape")]
    [DataRow("x_test", "<f4", "(1, 1, 2)", 8, "", "differ in more than their number", DisplayName = "another type")]
    [DataRow("x_test", "|u1", "(0, 1, 2)", 0, "", "at least one sample", DisplayName = "no samples")]
    [DataRow("x_train", "<i4", "(1,)", 4, "", "expected at least one sample, in uint8", DisplayName = "samples of integers")]
    [DataRow("x_train", "|u1", "(2,)", 2, "", "expected [n, C, H, W]", DisplayName = "one axis")]
    [DataRow("x_train", "|u1", "(2, 5, 5, 3)", 150, "", "channels last", DisplayName = "channels last")]
    [DataRow("x_train", "<f4", "(1, 1)", 4, "0000c07f", "not finite", DisplayName = "NaN")]
    [DataRow("y_train", "|u1", "(3,)", 3, "", "each of the 2 samples", DisplayName = "more labels than samples")]
    [DataRow("y_train", "|u1", "(2, 1)", 2, "", "uint8 [2, 1]", DisplayName = "labels in a column")]
    [DataRow("y_train", "<f4", "(2,)", 8, "", "float32 [2]", DisplayName = "labels that are no integers")]
    [DataRow("y_test", "<i4", "(1,)", 4, "ffffffff", "y_test[0] is -1", DisplayName = "a negative label")]
    [DataRow("y_test", "<i4", "(1,)", 4, "00000100", "y_test[0] is 65536", DisplayName = "a label beyond all classes")]
    public void Load_ArraysThatDoNotFit_SaysWhich(string name, string code, string shape, int length, string start, string finding)
    {
        var values = Convert.FromHexString(start.PadRight(2 * length, '0'));

        var error = Assert.ThrowsExactly<DataFormatException>(() => Load((name, Bytes.Npy(code, shape, values))));

        StringAssert.StartsWith(error.Message, _folder["mine.npz"]);
        StringAssert.Contains(error.Message, finding);
    }

    [TestMethod]
    public void Load_AnArrayThatIsAbsent_SaysWhatIsThere()
    {
        _folder.Write("mine.npz", Bytes.Npz(("x.npy", CompressionLevel.Fastest, Bytes.Npy("|u1", "(1,)", [1]))));

        var error = Assert.ThrowsExactly<DataFormatException>(() => DataSets.Load($"npz:{_folder["mine.npz"]}"));

        StringAssert.Contains(error.Message, "lacks x_train, y_train, x_test, y_test; it has x.");
    }

    [TestMethod]
    public void Load_AFileThatIsAbsent_SaysSo()
    {
        var error = Assert.ThrowsExactly<DataFormatException>(() => DataSets.Load("npz:nowhere.npz"));

        StringAssert.Contains(error.Message, "nowhere.npz: there is no such file");
    }

    [TestMethod]
    public void Load_NoFileNamed_SaysHowItIsWritten() => Assert.ThrowsExactly<ArgumentException>(() => DataSets.Load("npz:"));

    /// <summary>Loads a set of two grey images 1x2 to train on and one to test on, with these arrays in place of its own.</summary>
    DataSet Load(params (string Name, byte[] Content)[] others)
    {
        Dictionary<string, byte[]> arrays = new()
        {
            ["x_train"] = Bytes.Npy("|u1", "(2, 1, 2)", TwoPixelImages),
            ["y_train"] = Bytes.Npy("<i8", "(2,)", [.. MemoryMarshal.AsBytes<long>([0, 2])]),
            ["x_test"] = Bytes.Npy("|u1", "(1, 1, 2)", [1, 2]),
            ["y_test"] = Bytes.Npy("|u1", "(1,)", [5]),
        };
        foreach (var (name, content) in others)
        {
            arrays[name] = content;
        }

        var path = _folder.Write(
            "mine.npz", Bytes.Npz([.. arrays.Select(array => ($"{array.Key}.npy", CompressionLevel.NoCompression, array.Value))]));
        return DataSets.Load($"npz:{path}");
    }

    static byte[] Floats(string code, string shape, params float[] values) => Bytes.Npy(
        code, shape, code == "<f4" ? [.. MemoryMarshal.AsBytes<float>(values)] : [.. MemoryMarshal.AsBytes<double>(Array.ConvertAll(values, v => (double)v))]);
}
