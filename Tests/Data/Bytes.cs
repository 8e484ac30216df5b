using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace MaestroDeploy.Tests.Data;

/// <summary>The bytes of small files, made as the formats say.</summary>
static class Bytes
{
    /// <summary>An IDX file with these extents, and with these bytes whether or not they go together.</summary>
    public static byte[] Idx(uint[] extents, params byte[] values)
    {
        var header = new byte[4 * (1 + extents.Length)];
        BinaryPrimitives.WriteInt32BigEndian(header, 0x0800 + extents.Length);
        for (var axis = 0; axis < extents.Length; axis++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4 * (1 + axis)), extents[axis]);
        }

        return [.. header, .. values];
    }

    public static byte[] Gzip(byte[] bytes, CompressionLevel level = CompressionLevel.Fastest)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, level))
        {
            gzip.Write(bytes);
        }

        return packed.ToArray();
    }

    /// <summary>A <c>.npy</c> file of version 1 with this header text.</summary>
    public static byte[] Npy(string header, params byte[] values) =>
        [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, (byte)(header.Length >> 8), .. Encoding.ASCII.GetBytes(header), .. values];

    /// <summary>A <c>.npy</c> file of this type and shape, as in <c>"&lt;i8"</c> and <c>"(2, 3)"</c>.</summary>
    public static byte[] Npy(string code, string shape, byte[] values) =>
        Npy($"{{'descr': '{code}', 'fortran_order': False, 'shape': {shape}, }}\n", values);

    /// <summary>A <c>.npz</c> file of these entries.</summary>
    public static byte[] Npz(params (string Name, CompressionLevel Level, byte[] Content)[] entries)
    {
        using var packed = new MemoryStream();
        using (var zip = new ZipArchive(packed, ZipArchiveMode.Create))
        {
            foreach (var (name, level, content) in entries)
            {
                using var entry = zip.CreateEntry(name, level).Open();
                entry.Write(content);
            }
        }

        return packed.ToArray();
    }
}
