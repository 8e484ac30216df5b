using System.IO.Compression;
using MaestroDeploy.Data;

namespace MaestroDeploy.Tests.Data;

[TestClass]
public sealed class NpyFileTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [TestMethod]
    [DataRow(new int[0], DisplayName = "a single value")]
    [DataRow(new[] { 5 }, DisplayName = "one axis")]
    [DataRow(new[] { 0, 3 }, DisplayName = "no values")]
    [DataRow(new[] { 3, 1, 70, 70 }, DisplayName = "more than is read at a time")]
    public void Read_WhatWriteWrote_IsTheSame(int[] shape)
    {
        var path = Path.Combine(_folder.Path, "x.npy");
        float[] values = [.. Enumerable.Range(0, shape.Aggregate(1, (a, b) => a * b)).Select(i => i / 7f)];

        NpyFile.Write(path, [.. shape], values);
        var read = NpyFile.Read(path);

        CollectionAssert.AreEqual(shape, read.Shape.ToArray());
        CollectionAssert.AreEqual(values, read.Values);
        Assert.AreEqual("float32", read.DType);
    }

    [TestMethod]
    public void Write_AFile_IsByteForByteWhatNumPyWrites()
    {
        var path = Path.Combine(_folder.Path, "x.npy");

        NpyFile.Write(path, [1, 2], [1, 2]);

        // numpy.save of float32 [[1, 2]] with NumPy 2: 128 bytes of header, padded with spaces to its newline.
        var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }".PadRight(117) + "\n";
        CollectionAssert.AreEqual(Bytes.Npy(header, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40), File.ReadAllBytes(path));
    }

    [TestMethod]
    public void Write_ValuesThatDoNotFillTheShape_LeavesTheOldFileAsItWas()
    {
        var path = _folder.Write("x.npy", [1]);

        Assert.ThrowsExactly<ArgumentException>(() => NpyFile.Write(path, [2, 2], [1, 2, 3]));

        CollectionAssert.AreEqual(new byte[] { 1 }, File.ReadAllBytes(path));
        Assert.HasCount(1, Directory.GetFiles(_folder.Path));
    }

    [TestMethod]
    [DataRow("<f8", "float64", new byte[] { 0, 0, 0, 0, 0, 0, 0xf8, 0xbf }, -1.5f)]
    [DataRow("<i4", "int32", new byte[] { 0xfe, 0xff, 0xff, 0xff }, -2f)]
    [DataRow("<i8", "int64", new byte[] { 0, 0, 0, 0, 1, 0, 0, 0 }, 4294967296f)]
    [DataRow("|u1", "uint8", new byte[] { 200 }, 200f)]
    [DataRow("|i1", "int8", new byte[] { 200 }, -56f)]
    [DataRow("<i2", "int16", new byte[] { 0xfe, 0xff }, -2f)]
    [DataRow("<u2", "uint16", new byte[] { 0xfe, 0xff }, 65534f)]
    [DataRow("<u4", "uint32", new byte[] { 0, 0, 0, 0x80 }, 2147483648f)]
    [DataRow("<u8", "uint64", new byte[] { 0, 0, 0, 0, 1, 0, 0, 0 }, 4294967296f)]
    [DataRow("<f2", "float16", new byte[] { 0, 0xbe }, -1.5f)]
    [DataRow("|b1", "bool", new byte[] { 1 }, 1f)]
    public void Read_AnotherType_GivesFloatsAndKeepsItsName(string code, string dtype, byte[] bytes, float value)
    {
        var path = _folder.Write("x.npy", Bytes.Npy($"{{'descr': '{code}', 'fortran_order': False, 'shape': (1,), }}\n", bytes));

        var read = NpyFile.Read(path);

        Assert.AreEqual(value, read.Values.Single());
        Assert.AreEqual(dtype, read.DType);
    }

    [TestMethod]
    [DataRow((byte)2)]
    [DataRow((byte)3)]
    public void Read_ALaterVersion_HasALongerHeaderLength(byte version)
    {
        var header = "{'descr': '|u1', 'fortran_order': False, 'shape': (), }\n"u8;
        var path = _folder.Write("x.npy", [0x93, .. "NUMPY"u8, version, 0, (byte)header.Length, 0, 0, 0, .. header, 7]);

        Assert.AreEqual(7f, NpyFile.Read(path).Values.Single());
    }

    [TestMethod]
    [DataRow("'descr': '|O', 'fortran_order': False, 'shape': (1,)", "|O", DisplayName = "pickled objects")]
    [DataRow("'descr': '>f4', 'fortran_order': False, 'shape': (1,)", ">f4", DisplayName = "big-endian")]
    [DataRow("'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)", "structured", DisplayName = "a structure")]
    [DataRow("'descr': '<f4', 'fortran_order': True, 'shape': (1,)", "Fortran order", DisplayName = "Fortran order")]
    [DataRow("'descr': '<f4', 'fortran_order': False", "does not say", DisplayName = "no shape")]
    [DataRow("'descr': '<f4', 'fortran_order': False, 'shape': (-1,)", "(-1,)", DisplayName = "a negative extent")]
    [DataRow("'descr': '<f4', 'fortran_order': False, 'shape': (2,)", "takes 8 bytes, and there are 4", DisplayName = "cut short")]
    [DataRow("'descr': '|u1', 'fortran_order': False, 'shape': (3,)", "takes 3 bytes, and there are 4", DisplayName = "too long")]
    [DataRow("'descr': '<f4', 'fortran_order': False, 'shape': (2000000000,)", "there are 4", DisplayName = "larger than the file")]
    [DataRow("'descr': '<f4', 'fortran_order': False, 'shape': (65536, 65536, 65536, 65536)", "fits in memory", DisplayName = "overflow")]
    public void Read_WhatIsNotSupported_SaysWhat(string header, string finding)
    {
        var path = _folder.Write("x.npy", Bytes.Npy($"{{{header}, }}\n", 0, 0, 0, 0));

        var error = Assert.ThrowsExactly<DataFormatException>(() => NpyFile.Read(path));

        StringAssert.StartsWith(error.Message, path);
        StringAssert.Contains(error.Message, finding);
    }

    [TestMethod]
    [DataRow(new byte[] { 0x93, 78, 85 }, DisplayName = "three bytes")]
    [DataRow(new byte[] { 80, 75, 3, 4, 0, 0, 0, 0, 0, 0 }, DisplayName = "a zip file")]
    [DataRow(new byte[] { 0x93, 78, 85, 77, 80, 89, 9, 0, 0, 0 }, DisplayName = "version 9")]
    [DataRow(new byte[] { 0x93, 78, 85, 77, 80, 89, 2, 0, 255, 255, 255, 255 }, DisplayName = "a header of 4 GB")]
    [DataRow(new byte[] { 0x93, 78, 85, 77, 80, 89, 1, 0, 9, 0, 32 }, DisplayName = "cut within the header")]
    public void Read_WhatIsNoNpyFile_IsRefused(byte[] bytes) =>
        Assert.ThrowsExactly<DataFormatException>(() => NpyFile.Read(_folder.Write("x.npy", bytes)));

    [TestMethod]
    public void ReadNpz_StoredAndCompressedArrays_AreFoundByName()
    {
        var path = Npz(
            ("x.npy", CompressionLevel.Optimal, OneByte(5)), ("y.npy", CompressionLevel.NoCompression, OneByte(6)), ("note", 0, [1]));

        var arrays = NpzFile.Read(path);

        CollectionAssert.AreEquivalent(new[] { "x", "y" }, arrays.Keys.ToArray());
        Assert.AreEqual(5f, arrays["x"].Values.Single());
        Assert.AreEqual(6f, arrays["y"].Values.Single());
    }

    [TestMethod]
    public void ReadBytes_WhatWriteWrote_IsTheSameToTheBit()
    {
        var path = Path.Combine(_folder.Path, "x.npz");
        var large = new NpyBytes([1], "int64", BitConverter.GetBytes((1L << 53) + 1)); // no float, and no double, holds it
        var mask = new NpyBytes([2, 1], "bool", [1, 0]);

        NpzFile.Write(path, ("large", large), ("scope/mask", mask));
        NpyFile.Write(Path.ChangeExtension(path, ".npy"), large);
        var read = NpzFile.ReadBytes(path);

        CollectionAssert.AreEquivalent(new[] { "large", "scope/mask" }, read.Keys.ToArray());
        CollectionAssert.AreEqual(large.Bytes, read["large"].Bytes);
        CollectionAssert.AreEqual(large.Bytes, NpyFile.ReadBytes(Path.ChangeExtension(path, ".npy")).Bytes);
        CollectionAssert.AreEqual(mask.Bytes, read["scope/mask"].Bytes);
        Assert.AreEqual("bool [2, 1]", $"{read["scope/mask"].DType} [{string.Join(", ", read["scope/mask"].Shape)}]");
        Assert.HasCount(2, Directory.GetFiles(_folder.Path));
    }

    [TestMethod]
    public void NpyBytes_ThatDoNotFillTheirShape_AreRefused()
    {
        Assert.ThrowsExactly<ArgumentException>(() => new NpyBytes([2], "int64", new byte[8]));
        Assert.ThrowsExactly<ArgumentException>(() => new NpyBytes([2], "complex64", new byte[16]));
    }

    [TestMethod]
    public void ReadNpz_ABrokenArray_NamesItWithinTheFile()
    {
        var path = Npz(("x.npy", CompressionLevel.Optimal, OneByte(5)[..^1]));

        var error = Assert.ThrowsExactly<DataFormatException>(() => NpzFile.Read(path));

        StringAssert.Contains(error.Message, $"{path}(x.npy)");
    }

    [TestMethod]
    public void ReadNpz_NoZipFile_IsRefused() =>
        Assert.ThrowsExactly<DataFormatException>(() => NpzFile.Read(_folder.Write("x.npz", OneByte(5))));

    [TestMethod]
    public void ReadNpz_AnyByteOfItChanged_IsReadOrRefusedAndNothingElse()
    {
        var whole = File.ReadAllBytes(Npz(("x.npy", CompressionLevel.Optimal, OneByte(5))));
        for (var at = 0; at < whole.Length; at++)
        {
            var path = _folder.Write("changed.npz", [.. whole[..at], (byte)(whole[at] ^ 0xff), .. whole[(at + 1)..]]);
            try
            {
                NpzFile.Read(path);
            }
            catch (DataFormatException)
            {
            }
        }
    }

    static byte[] OneByte(byte value) => Bytes.Npy("|u1", "(1,)", [value]);

    string Npz(params (string Name, CompressionLevel Level, byte[] Content)[] entries) => _folder.Write("x.npz", Bytes.Npz(entries));
}
