using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MaestroDeploy.Data;

namespace MaestroDeploy.Tests.Data;

[TestClass]
public sealed class DataSetsTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [TestMethod]
    public void Load_Digits_AFifthOfEveryClassIsForTesting()
    {
        var digits = DataSets.Load("digits");

        Assert.AreEqual(1442, digits.Train.Count);
        Assert.AreEqual(355, digits.Test.Count);
        for (var digit = 0; digit < 10; digit++)
        {
            var (train, test) = (digits.Train.Labels.Count(digit), digits.Test.Labels.Count(digit));
            Assert.AreEqual((train + test) / 5, test, $"digit {digit}");
        }
    }

    [TestMethod]
    public void Load_Digits_BeginsWithTheFirstImageOfTheFile()
    {
        var train = DataSets.Load("digits").Train;
        var image = new float[64];

        train.CopySamples([0], image);

        CollectionAssert.AreEqual(new[] { 1, 8, 8 }, train.SampleShape.ToArray());
        Assert.AreEqual(0, train.Labels[0]);
        CollectionAssert.AreEqual(new[] { 0, 0, 5 / 16f, 13 / 16f, 9 / 16f, 1 / 16f, 0, 0 }, image[..8]);
    }

    [TestMethod]
    [DataRow(true, "684063edd0e9a8903fa03fd0d78b5ae7f677b8ea776320b7d8a7b9b51d0e9443", DisplayName = "train")]
    [DataRow(false, "9ab6f0b91c252bd57a7b0f06e3d3ae2147496151aa74617bcb1b720ce16a05a9", DisplayName = "test")]
    public void Load_Digits_IsTheSameSplitEveryTime(bool train, string hash)
    {
        var digits = DataSets.Load("digits");
        var all = (train ? digits.Train : digits.Test).Batches(2000).Single();

        byte[] content = [.. MemoryMarshal.AsBytes<float>(all.Samples), .. MemoryMarshal.AsBytes<int>(all.Labels)];

        Assert.AreEqual(hash, Convert.ToHexStringLower(SHA256.HashData(content)));
    }

    [TestMethod]
    public void Load_AnUnknownName_NamesThoseThatAreKnown()
    {
        var error = Assert.ThrowsExactly<ArgumentException>(() => DataSets.Load("imagenet"));

        StringAssert.Contains(error.Message, "digits, mnist, fashion-mnist, cifar10, images:DIR[:SIZE], npz:FILE");
    }

    [TestMethod]
    public void Load_Mnist_ReadsPlainAndGzippedFilesAlike()
    {
        WriteMnist(images: 2, labels: [3, 9], side: 28);
        var plain = Path.Combine(_folder.Path, "mnist", "t10k-images-idx3-ubyte");
        _folder.Write("mnist/t10k-images-idx3-ubyte.gz", Bytes.Gzip(File.ReadAllBytes(plain)));
        File.Delete(plain);

        var mnist = DataSets.Load("mnist", _folder.Path);

        Assert.AreEqual("mnist/test", mnist.Test.Name);
        Assert.AreEqual("pixels / 255", mnist.Scaling);
        CollectionAssert.AreEqual(new[] { 3, 9 }, mnist.Test.Labels.ToArray());
        CollectionAssert.AreEqual(mnist.Train.Batches(2).Single().Samples, mnist.Test.Batches(2).Single().Samples);
        Assert.AreEqual(1f, mnist.Test.Batches(2).Single().Samples[255]); // pixel i is i mod 256
    }

    [TestMethod]
    [DataRow(2, new byte[] { 3 }, 28, DisplayName = "fewer labels than images")]
    [DataRow(2, new byte[] { 3, 10 }, 28, DisplayName = "a label above 9")]
    [DataRow(0, new byte[0], 28, DisplayName = "nothing in it")]
    [DataRow(2, new byte[] { 3, 4 }, 14, DisplayName = "images of another size")]
    public void Load_MnistFilesThatDoNotFit_AreRefused(int images, byte[] labels, int side)
    {
        WriteMnist(images, labels, side);

        Assert.ThrowsExactly<DataFormatException>(() => DataSets.Load("mnist", _folder.Path));
    }

    [TestMethod]
    public void Load_Cifar_NormalisesEachChannel()
    {
        WriteCifar([7, .. Enumerable.Repeat((byte)255, 1024), .. new byte[1024], .. Enumerable.Repeat((byte)51, 1024)]);

        var cifar = DataSets.Load("cifar10", _folder.Path);

        var image = cifar.Test.Batches(1).Single().Samples;
        Assert.AreEqual(5, cifar.Train.Count);
        Assert.AreEqual(7, cifar.Test.Labels[0]);
        Assert.AreEqual((1 - 0.4914f) / 0.2023f, image[0], 1e-5f);
        Assert.AreEqual(-0.4822f / 0.1994f, image[1024], 1e-5f);
        Assert.AreEqual((0.2f - 0.4465f) / 0.2010f, image[3071], 1e-5f);
        StringAssert.Contains(cifar.Scaling, "0.4914 0.4822 0.4465");
    }

    [TestMethod]
    [DataRow(3072, 0, DisplayName = "a record cut short")]
    [DataRow(3074, 0, DisplayName = "a byte too many")]
    [DataRow(0, 0, DisplayName = "an empty file")]
    [DataRow(3073, 10, DisplayName = "a label above 9")]
    public void Load_CifarThatIsNoWholeRecords_NamesTheFile(int length, int label)
    {
        WriteCifar(new byte[3073]);
        var record = new byte[length];
        record.AsSpan(0, Math.Min(1, length)).Fill((byte)label);
        _folder.Write("cifar-10-batches-bin/data_batch_3.bin", record);

        var error = Assert.ThrowsExactly<DataFormatException>(() => DataSets.Load("cifar10", _folder.Path));

        StringAssert.Contains(error.Message, "data_batch_3.bin");
    }

    [TestMethod]
    [DataRow("mnist", 28 * 28, 0.1307, DisplayName = "mnist")]
    [DataRow("fashion-mnist", 28 * 28, 0.2860, DisplayName = "fashion-mnist")]
    [DataRow("cifar10", 3 * 32 * 32, 0, DisplayName = "cifar10")]
    public void Load_ThePublishedSet_HasItsWellKnownSizeAndMean(string name, int sampleSize, double mean)
    {
        if (DataLocations.Folders(null).All(folder => PublicSets.All.Single(set => set.Name == name).MissingIn(folder).Any()))
        {
            Assert.Inconclusive($"This test needs {name}: fetch it with `maestro data get {name}`.");
        }

        var set = DataSets.Load(name);

        Assert.AreEqual(10_000, set.Test.Count);
        Assert.AreEqual(name == "cifar10" ? 50_000 : 60_000, set.Train.Count);
        Assert.AreEqual(sampleSize, set.Train.SampleSize);
        Assert.AreEqual(mean, set.Train.Batches(10_000).Average(batch => batch.Samples.Average(value => (double)value)), 1e-3);
    }

    /// <summary>Train and test alike, pixels counting up.</summary>
    void WriteMnist(int images, byte[] labels, int side)
    {
        byte[] pixels = [.. Enumerable.Range(0, images * side * side).Select(i => (byte)i)];
        foreach (var split in new[] { "train", "t10k" })
        {
            _folder.Write($"mnist/{split}-images-idx3-ubyte", Bytes.Idx([(uint)images, (uint)side, (uint)side], pixels));
            _folder.Write($"mnist/{split}-labels-idx1-ubyte", Bytes.Idx([(uint)labels.Length], labels));
        }
    }

    /// <summary>One record in each of the six files.</summary>
    void WriteCifar(byte[] record)
    {
        foreach (var file in PublicSets.Cifar10.Packages[0].Files)
        {
            _folder.Write($"cifar-10-batches-bin/{file.Name}", record);
        }
    }
}
