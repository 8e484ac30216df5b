using System.IO.Compression;
using MaestroDeploy.Data;

namespace MaestroDeploy.Tests.Data;

[TestClass]
public sealed class IdxFileTests : IDisposable
{
    static readonly byte[] TwoByThree = Bytes.Idx([2, 3], 1, 2, 3, 4, 5, 6);

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [TestMethod]
    public void Read_APlainFile_GivesShapeAndBytes()
    {
        var idx = IdxFile.Read(_folder.Write("x", TwoByThree), axes: 2);

        CollectionAssert.AreEqual(new[] { 2, 3 }, idx.Shape.ToArray());
        CollectionAssert.AreEqual(new byte[] { 1, 2, 3, 4, 5, 6 }, idx.Values);
    }

    [TestMethod]
    public void Read_AGzippedFile_GivesTheSame()
    {
        var idx = IdxFile.Read(_folder.Write("x.gz", Bytes.Gzip(TwoByThree)), axes: 2);

        CollectionAssert.AreEqual(new[] { 2, 3 }, idx.Shape.ToArray());
        CollectionAssert.AreEqual(new byte[] { 1, 2, 3, 4, 5, 6 }, idx.Values);
    }

    [TestMethod]
    [DataRow("x", 5, DisplayName = "plain, cut short")]
    [DataRow("x", 7, DisplayName = "plain, too long")]
    [DataRow("x.gz", 5, DisplayName = "gzipped, cut short")]
    [DataRow("x.gz", 7, DisplayName = "gzipped, too long")]
    public void Read_OtherLengthThanPromised_SaysPathExpectedAndFound(string name, int values)
    {
        var bytes = Bytes.Idx([2, 3], new byte[values]);
        var path = _folder.Write(name, name.EndsWith(".gz", StringComparison.Ordinal) ? Bytes.Gzip(bytes) : bytes);

        var error = Assert.ThrowsExactly<DataFormatException>(() => IdxFile.Read(path, axes: 2));

        StringAssert.StartsWith(error.Message, path);
        StringAssert.Contains(error.Message, "promises 2 x 3 bytes");
    }

    [TestMethod]
    [DataRow(new byte[0], "0 bytes", DisplayName = "an empty file")]
    [DataRow(new byte[] { 0, 0, 8 }, "3 bytes", DisplayName = "not even a magic number")]
    [DataRow(new byte[] { 0, 0, 8, 1, 0, 0, 0, 9, 0, 0, 0, 0 }, "0x00000801", DisplayName = "labels where images belong")]
    [DataRow(new byte[] { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, "0x1f8b0800", DisplayName = "gzip without its extension")]
    public void Read_WrongMagic_SaysWhatWasFound(byte[] bytes, string found)
    {
        var path = _folder.Write("x", bytes);

        var error = Assert.ThrowsExactly<DataFormatException>(() => IdxFile.Read(path, axes: 2));

        StringAssert.Contains(error.Message, found);
    }

    [TestMethod]
    [DataRow("x", DisplayName = "plain")]
    [DataRow("x.gz", DisplayName = "gzipped")]
    public void Read_AbsurdExtents_IsRefusedBeforeMemoryIsSetAside(string name)
    {
        var bytes = Bytes.Idx([40_000, 50_000], new byte[10]);
        var path = _folder.Write(name, name.EndsWith(".gz", StringComparison.Ordinal) ? Bytes.Gzip(bytes) : bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.ThrowsExactly<DataFormatException>(() => IdxFile.Read(path, axes: 2));

        Assert.IsLessThan(1 << 20, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [TestMethod]
    public void Read_ExtentsWhoseProductOverflows_IsRefused()
    {
        var path = _folder.Write("x", Bytes.Idx([uint.MaxValue, uint.MaxValue, uint.MaxValue]));

        Assert.ThrowsExactly<DataFormatException>(() => IdxFile.Read(path, axes: 3));
    }

    [TestMethod]
    public void Read_GzipCutWhereverItLosesSomething_IsRefused()
    {
        // Stored, not compressed, so that a cut of more than the 8 bytes of gzip's trailer and 5 of its last block loses a value.
        var packed = Bytes.Gzip(TwoByThree, CompressionLevel.NoCompression);
        for (var length = 0; length < packed.Length - 13; length++)
        {
            var path = _folder.Write("x.gz", packed[..length]);

            Assert.ThrowsExactly<DataFormatException>(() => IdxFile.Read(path, axes: 2), $"cut at {length}");
        }
    }

    [TestMethod]
    public void Read_GzipWithAWrongChecksum_IsRefused()
    {
        var packed = Bytes.Gzip(TwoByThree);
        packed[^8] ^= 1;
        var path = _folder.Write("x.gz", packed);

        Assert.ThrowsExactly<DataFormatException>(() => IdxFile.Read(path, axes: 2));
    }
}
