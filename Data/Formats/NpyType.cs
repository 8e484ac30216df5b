using System.Buffers.Binary;
using System.Collections.Immutable;

namespace MaestroDeploy.Data;

/// <summary>One of the element types that a <c>.npy</c> file is read and written with.</summary>
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
        new("|i1", "int8", 1, bytes => (sbyte)bytes[0]),
        new("<i2", "int16", 2, bytes => BinaryPrimitives.ReadInt16LittleEndian(bytes)),
        new("<u2", "uint16", 2, bytes => BinaryPrimitives.ReadUInt16LittleEndian(bytes)),
        new("<u4", "uint32", 4, bytes => BinaryPrimitives.ReadUInt32LittleEndian(bytes)),
        new("<u8", "uint64", 8, bytes => BinaryPrimitives.ReadUInt64LittleEndian(bytes)),
        new("<f2", "float16", 2, bytes => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes)),
        new("|b1", "bool", 1, bytes => bytes[0] != 0 ? 1 : 0),
    ];
}
