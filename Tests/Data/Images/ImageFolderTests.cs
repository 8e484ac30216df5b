using System.Buffers.Binary;
using System.Formats.Tar;
using MaestroDeploy.Data;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace MaestroDeploy.Tests.Data.Images;

[TestClass]
public sealed class ImageFolderTests : IDisposable
{
    static readonly Rgb24 Red = new(255, 0, 0);
    static readonly Rgb24 Blue = new(0, 0, 255);

    // What 0 and 255 become in red, green and blue: (x / 255 - mean) / std with ImageNet's numbers.
    static readonly float[] Dark = [-0.485f / 0.229f, -0.456f / 0.224f, -0.406f / 0.225f];
    static readonly float[] Full = [(1 - 0.485f) / 0.229f, (1 - 0.456f) / 0.224f, (1 - 0.406f) / 0.225f];

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [TestMethod]
    public void Load_AFolderAClass_OrdersClassesAndFilesByName()
    {
        WriteSmall();
        _folder.Write("val/Zebra/notes.txt", "not an image");

        var set = DataSets.Load($"images:{_folder.Path}:8");

        Assert.AreEqual(new DirectoryInfo(_folder.Path).Name, set.Name);
        Assert.AreEqual(($"{set.Name}/train", $"{set.Name}/val"), (set.Train.Name, set.Test.Name));
        CollectionAssert.AreEqual(new[] { 3, 8, 8 }, set.Train.SampleShape.ToArray());
        CollectionAssert.AreEqual(new[] { 0, 1, 1 }, set.Train.Labels.ToArray()); // Zebra before ape: capitals come first
        CollectionAssert.AreEqual(new[] { 0, 1 }, set.Test.Labels.ToArray());
        StringAssert.Contains(set.Scaling, "0.4850 0.4560 0.4060");
        AssertPlanes([Dark[0], Dark[1], Full[2]], Sample(set.Train, 0));
        AssertPlanes([Full[0], Dark[1], Dark[2]], Sample(set.Train, 1));
        Assert.AreEqual(Dark[1], set.Train.Black(1), 1e-6f);
    }

    [TestMethod]
    public void Load_NoSizeNamed_IsImageNets()
    {
        WriteSmall();

        Assert.AreEqual(3 * 224 * 224, DataSets.Load($"images:{_folder.Path}").Train.SampleSize);
    }

    [TestMethod]
    public void Load_OnlyATestFolder_TakesThat()
    {
        WriteSmall();
        Directory.Move(_folder["val"], _folder["test"]);

        StringAssert.EndsWith(DataSets.Load($"images:{_folder.Path}").Test.Name, "/test");
    }

    [TestMethod]
    [DataRow(64, 32, DisplayName = "wide")]
    [DataRow(32, 64, DisplayName = "high")]
    public void CopySamples_AnImageThatIsNotSquare_IsCutToTheMiddleOfItsShorterSide(int width, int height)
    {
        WriteSmall();
        // The middle 28 x 28 pixels, 7/8 of 32, are red; everything around them is blue.
        WriteImage("train/Zebra/0.png", width, height, (x, y) =>
            Math.Abs(x - width / 2 + 0.5) < 14 && Math.Abs(y - height / 2 + 0.5) < 14 ? Red : Blue);

        var set = DataSets.Load($"images:{_folder.Path}:14");

        AssertPlanes([Full[0], Dark[1], Dark[2]], Sample(set.Train, 0));
    }

    [TestMethod]
    public void CopySamples_AStripOfOnePixel_IsEnlarged()
    {
        WriteSmall();
        WriteImage("train/Zebra/0.png", 300, 1, (_, _) => Red);

        AssertPlanes([Full[0], Dark[1], Dark[2]], Sample(DataSets.Load($"images:{_folder.Path}:16").Train, 0));
    }

    [TestMethod]
    [DataRow("", DisplayName = "an empty file")]
    [DataRow("hello", DisplayName = "text")]
    [DataRow("GIF89a\u0001\0\u0001\0\0\0\0,\0\0\0\0\u0001\0\u0001\0\0\u0002\0;", DisplayName = "another format")]
    public void CopySamples_AFileThatIsNoImage_IsNamed(string content)
    {
        WriteSmall();
        var path = _folder.Write("train/Zebra/0.png", content);
        var set = DataSets.Load($"images:{_folder.Path}:8");

        var error = Assert.ThrowsExactly<DataFormatException>(() => Sample(set.Train, 0));

        StringAssert.StartsWith(error.Message, path);
    }

    [TestMethod]
    [DataRow(2_000_000_000, 2_000_000_000)]
    [DataRow(20_000, 20_000)]
    [DataRow(4_000, 4_000, DisplayName = "more than so few bytes can hold")]
    public void CopySamples_AHeaderThatClaimsTooMuch_IsRefusedBeforeItIsDecoded(int width, int height)
    {
        WriteSmall();
        var png = File.ReadAllBytes(_folder["train/Zebra/a.png"]);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width); // the first fields of the first chunk, IHDR
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), Crc32(png.AsSpan(12, 17)));
        _folder.Write("train/Zebra/a.png", png);
        var set = DataSets.Load($"images:{_folder.Path}:8");

        var error = Assert.ThrowsExactly<DataFormatException>(() => Sample(set.Train, 0));

        StringAssert.Contains(error.Message, $"claims {width} x {height} pixels");
    }

    [TestMethod]
    [DataRow("train/Zebra/a.png")]
    [DataRow("train/ape/a.JPG")]
    public void CopySamples_BytesChangedOrLost_IsReadOrRefusedAndNothingElse(string name)
    {
        WriteSmall();
        var whole = File.ReadAllBytes(_folder[name]);
        var set = DataSets.Load($"images:{_folder.Path}:8").Train;
        var index = name.Contains("ape", StringComparison.Ordinal) ? 1 : 0;
        for (var at = 0; at < whole.Length; at += 3) // a third of the bytes, for the time it takes
        {
            Try(whole[..at]);
            Try([.. whole[..at], (byte)(whole[at] ^ 0xff), .. whole[(at + 1)..]]);
            Try([.. whole[..at], (byte)(whole[at] ^ 0x01), .. whole[(at + 1)..]]);
        }

        void Try(byte[] bytes)
        {
            _folder.Write(name, bytes);
            try
            {
                Sample(set, index);
            }
            catch (DataFormatException)
            {
            }
        }
    }

    [TestMethod]
    [DataRow("val", "no folder val and no folder test", DisplayName = "nothing to test on")]
    [DataRow("train", "has no folder train", DisplayName = "nothing to train on")]
    [DataRow("val/ape", "class ape is only in one of train and val", DisplayName = "a class not tested")]
    [DataRow("train/Zebra", "class Zebra is only in one of train and val", DisplayName = "a class not trained")]
    public void Load_AFolderThatIsAbsent_SaysWhich(string folder, string finding)
    {
        WriteSmall();
        Directory.Delete(_folder[folder], recursive: true);

        var error = Assert.ThrowsExactly<DataFormatException>(() => DataSets.Load($"images:{_folder.Path}"));

        StringAssert.Contains(error.Message, finding);
    }

    [TestMethod]
    public void Load_AClassWithoutImages_NamesItsFolder()
    {
        WriteSmall();
        File.Delete(_folder["train/Zebra/a.png"]);

        var error = Assert.ThrowsExactly<DataFormatException>(() => DataSets.Load($"images:{_folder.Path}"));

        StringAssert.Contains(error.Message, Path.Combine("train", "Zebra"));
    }

    [TestMethod]
    [DataRow("0")]
    [DataRow("1025")]
    [DataRow("99999999999999999999")]
    public void Load_ASizeThatIsNone_IsRefused(string size)
    {
        WriteSmall();

        Assert.ThrowsExactly<ArgumentException>(() => DataSets.Load($"images:{_folder.Path}:{size}"));
    }

    [TestMethod]
    public void Load_PhotographsOfImageNet_AreReadWithPlausibleColours()
    {
        const int PerClass = 4;
        using var tar = new TarReader(File.OpenRead(SharedFolder.Require("data", "imagenet-sample-256.tar")));
        for (var taken = 0; taken < 4 * PerClass;)
        {
            var entry = tar.GetNextEntry()!;
            if (entry.EntryType is TarEntryType.RegularFile)
            {
                var split = taken % 2 == 0 ? "train" : "val";
                var folder = Directory.CreateDirectory(_folder[$"{split}/{(taken / 2 % 2 == 0 ? "first" : "second")}"]);
                entry.ExtractToFile(Path.Combine(folder.FullName, Path.GetFileName(entry.Name)), overwrite: false);
                taken++;
            }
        }

        var set = DataSets.Load($"images:{_folder.Path}");

        Assert.AreEqual((2 * PerClass, 2 * PerClass, 2), (set.Train.Count, set.Test.Count, set.Train.Classes));
        var values = set.Train.Batches(3).Concat(set.Test.Batches(3)).SelectMany(batch => batch.Samples).ToArray();
        var mean = values.Average();
        Assert.AreEqual(0, mean, 0.5f); // ImageNet's own mean is 0 and its deviation 1 in this scaling; these are 16 photographs
        Assert.AreEqual(1, Math.Sqrt(values.Average(value => (value - mean) * (double)(value - mean))), 0.3);
    }

    /// <summary>One blue image of class Zebra and two of class ape, the first red, to train on; one of each to test on.</summary>
    void WriteSmall()
    {
        WriteImage("train/Zebra/a.png", 16, 16, (_, _) => Blue);
        WriteImage("train/ape/a.JPG", 16, 16, (_, _) => Red);
        WriteImage("train/ape/b.jpeg", 16, 16, (_, _) => Blue);
        WriteImage("val/Zebra/a.png", 16, 16, (_, _) => Red);
        WriteImage("val/ape/a.png", 16, 16, (_, _) => Blue);
    }

    void WriteImage(string name, int width, int height, Func<int, int, Rgb24> colour)
    {
        using var image = new Image<Rgb24>(width, height);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                image[x, y] = colour(x, y);
            }
        }

        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        image.Save(_folder[name]);
    }

    static float[] Sample(SampleSet set, int index)
    {
        var sample = new float[set.SampleSize];
        set.CopySamples([index], sample);
        return sample;
    }

    /// <summary>Each of the three planes has one value everywhere; JPEG is a level or two off.</summary>
    static void AssertPlanes(float[] expected, float[] sample)
    {
        const float TwoLevels = 2 / 255f / 0.224f;
        foreach (var (channel, plane) in sample.Chunk(sample.Length / 3).Index())
        {
            Assert.AreEqual(expected[channel], plane.Min(), TwoLevels, $"channel {channel}");
            Assert.AreEqual(expected[channel], plane.Max(), TwoLevels, $"channel {channel}");
        }
    }

    /// <summary>The check sum of a PNG's chunks, bit by bit.</summary>
    static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = crc >> 1 ^ ((crc & 1) == 0 ? 0 : 0xedb88320);
            }
        }

        return ~crc;
    }
}
