using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace MaestroDeploy.Data;

/// <summary>What stands before the values of a <c>.npy</c> file: their type and their shape.</summary>
/// <remarks>
/// <c>\x93NUMPY</c>, a version of two bytes, the length of the text (2 bytes in version 1, 4 in 2 and 3), and a Python
/// dictionary as text.
/// Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
/// </remarks>
sealed partial record NpyHeader(NpyType Type, ImmutableArray<int> Shape, int Count)
{
    const int LongestText = 64 * 1024; // NumPy itself warns from 10,000 on
    const int Alignment = 64;

    static readonly byte[] Magic = [0x93, .. "NUMPY"u8];

    /// <summary>Reads a header and leaves the stream where the values begin.</summary>
    /// <param name="stream">Stands at the magic.</param>
    /// <param name="length">All bytes that the stream has, header and values together.</param>
    /// <param name="source">What to call the stream in a message.</param>
    /// <exception cref="DataFormatException">It is no such header, it is not supported, or it promises other than is there.</exception>
    /// <exception cref="EndOfStreamException">The stream ends within the header.</exception>
    public static NpyHeader Read(Stream stream, long length, string source)
    {
        var start = new byte[8];
        stream.ReadExactly(start);
        if (!start.AsSpan(0, 6).SequenceEqual(Magic) || start[6] is not (1 or 2 or 3))
        {
            throw new DataFormatException(source, $"is no .npy file of version 1 to 3; it begins with {Convert.ToHexStringLower(start)}.");
        }

        var size = new byte[start[6] == 1 ? 2 : 4];
        stream.ReadExactly(size);
        var textLength = size.Length == 2 ? BinaryPrimitives.ReadUInt16LittleEndian(size) : BinaryPrimitives.ReadUInt32LittleEndian(size);
        if (textLength > Math.Min(length, LongestText))
        {
            throw new DataFormatException(source, $"its header claims {textLength} bytes, in a file of {length}.");
        }

        var text = new byte[textLength];
        stream.ReadExactly(text);
        return Parse(Encoding.UTF8.GetString(text), length - start.Length - size.Length - textLength, source);
    }

    /// <summary>A version 1 header, padded so that the values begin on a multiple of 64 bytes.</summary>
    public static byte[] For(NpyType type, ImmutableArray<int> shape)
    {
        var tuple = string.Join(", ", shape) + (shape.Length == 1 ? "," : ""); // as Python writes a tuple
        var text = $"{{'descr': '{type.Code}', 'fortran_order': False, 'shape': ({tuple}), }}";
        var before = Magic.Length + 4;
        var padded = (before + text.Length + 1 + Alignment - 1) / Alignment * Alignment - before;
        byte[] lead = [.. Magic, 1, 0, (byte)padded, (byte)(padded >> 8)];
        return [.. lead, .. Encoding.ASCII.GetBytes(text.PadRight(padded - 1) + '\n')];
    }

    static NpyHeader Parse(string text, long valueBytes, string source)
    {
        var order = FortranOrder.Match(text);
        var shape = ShapeTuple.Match(text);
        if (!order.Success || !shape.Success)
        {
            throw new DataFormatException(source, $"its header does not say what NumPy's do: {text.Trim()}");
        }

        if (order.Groups[1].Value != "False")
        {
            throw new DataFormatException(source, "is in Fortran order; save numpy.ascontiguousarray(x) instead.");
        }

        var code = TypeCode.Match(text) is { Success: true } match ? match.Groups[1].Value : "structured";
        var type = NpyType.All.FirstOrDefault(known => known.Code == code) ?? throw new DataFormatException(
            source, $"its type is {code}; supported are {string.Join(", ", NpyType.All.Select(known => $"{known.Name} ({known.Code})"))}.");

        var extents = Tuple(shape.Groups[1].Value);
        var count = Extents.Product(extents)
            ?? throw new DataFormatException(source, $"its {shape.Value} is not one that fits in memory.");
        var needed = (long)count * type.Size;
        return needed == valueBytes
            ? new NpyHeader(type, extents, count)
            : throw new DataFormatException(source, $"its {shape.Value} of {type.Name} takes {needed} bytes, and there are {valueBytes}.");
    }

    // What is no extent, or too large for one, becomes -1, which no shape has.
    static ImmutableArray<int> Tuple(string text) =>
    [
        .. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(
            axis => int.TryParse(axis, NumberStyles.None, CultureInfo.InvariantCulture, out var extent) ? extent : -1),
    ];

    [GeneratedRegex("'descr': *'([^']*)'")]
    static partial Regex TypeCode { get; }

    [GeneratedRegex("'fortran_order': *(True|False)")]
    static partial Regex FortranOrder { get; }

    [GeneratedRegex(@"'shape': *\(([^)]*)\)")]
    static partial Regex ShapeTuple { get; }
}
