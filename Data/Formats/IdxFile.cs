using System.Buffers.Binary;
using System.Collections.Immutable;
using System.IO.Compression;

namespace MaestroDeploy.Data;

/// <summary>A file of unsigned bytes in the IDX format of MNIST, plain or, when its name ends in <c>.gz</c>, compressed.</summary>
/// <remarks>
/// A big-endian magic number <c>0x000008NN</c> (08 for bytes, NN axes), the extent of each axis, and the bytes, row-major.
/// Source: http://yann.lecun.com/exdb/mnist/.
/// </remarks>
/// <param name="Shape">The extent of each axis.</param>
/// <param name="Values">As many bytes as the product of <paramref name="Shape"/>.</param>
sealed record IdxFile(ImmutableArray<int> Shape, byte[] Values)
{
    const int MagicOfBytes = 0x0800;

    /// <exception cref="DataFormatException">The file is no IDX file of that many axes, or is cut short, too long or too large.</exception>
    public static IdxFile Read(string path, int axes)
    {
        using var file = File.OpenRead(path);
        try
        {
            return path.EndsWith(".gz", StringComparison.Ordinal)
                ? Read(path, new GZipStream(file, CompressionMode.Decompress), axes, Deflated.LimitFor(file.Length), exactly: false)
                : Read(path, file, axes, file.Length, exactly: true);
        }
        catch (InvalidDataException e)
        {
            throw new DataFormatException(path, "cannot be decompressed; fetch it again.", e);
        }
    }

    // `limit` is the stream's length, or, where that cannot be known, the most it may be.
    static IdxFile Read(string path, Stream stream, int axes, long limit, bool exactly)
    {
        var header = new byte[4 * (1 + axes)];
        var got = stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        var magic = got < 4 ? -1 : BinaryPrimitives.ReadInt32BigEndian(header);
        if (got < header.Length || magic != MagicOfBytes + axes)
        {
            var found = got < 4 ? $"{got} bytes" : $"0x{magic:x8}";
            throw new DataFormatException(path, $"is not an IDX file of {axes} axes: expected 0x{MagicOfBytes + axes:x8}, found {found}.");
        }

        var shape = Enumerable.Range(1, axes)
            .Select(axis => BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(4 * axis)))
            .ToImmutableArray();
        var promise = $"its header promises {string.Join(" x ", shape)} bytes, and there";
        var room = limit - header.Length;
        if (Extents.Product(shape) is not { } count || (exactly ? count != room : count > room))
        {
            throw new DataFormatException(path, $"{promise} {(exactly ? "are" : "can be at most")} {room}.");
        }

        var values = new byte[count];
        var read = stream.ReadAtLeast(values, values.Length, throwOnEndOfStream: false);
        if (read < values.Length || stream.ReadByte() >= 0)
        {
            throw new DataFormatException(path, $"{promise} are {(read < values.Length ? read : "more")}.");
        }

        return new IdxFile(shape, values);
    }
}
