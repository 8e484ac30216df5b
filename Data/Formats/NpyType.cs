using System.Buffers.Binary;
using System.Collections.Immutable;

namespace MaestroDeploy.Data;

/// <summary>One of the element types that can be read from a <c>.npy</c> file.</summary>
/// <param name="Code">As the header spells it.</param>
/// <param name="Name">As NumPy calls it.</param>
/// <param name="Size">Bytes in one element.</param>
/// <param name="ToFloat">The value of the element that these bytes begin with.</param>
sealed record NpyType(string Code, string Name, int Size, Func<ReadOnlySpan<byte>, float> ToFloat)
{
    public static ImmutableArray<NpyType> All { get; } =
    [
        new("<f4", "float32", 4, BinaryPrimitives.ReadSingleLittleEndian),
        new("<f8", "float64", 8, bytes => (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes)),
        new("<i4", "int32", 4, bytes => BinaryPrimitives.ReadInt32LittleEndian(bytes)),
        new("<i8", "int64", 8, bytes => BinaryPrimitives.ReadInt64LittleEndian(bytes)),
        new("|u1", "uint8", 1, bytes => bytes[0]),
    ];
}
