using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MaestroDeploy.Runtime;

/// <summary>A type of number that a run's tensors may have: its name in signatures, which is NumPy's too, and ONNX Runtime's.</summary>
abstract record ElementType(string Name, TensorElementType Code)
{
    // Whole numbers are mostly indices, and the smallest are valid in every table.
    const int Indices = 4;

    /// <summary>Every type that graphs are run with.</summary>
    public static IReadOnlyList<ElementType> All { get; } =
    [
        new ElementType<float>("float32", TensorElementType.Float, value => value, random => random.NextSingle()),
        new ElementType<double>("float64", TensorElementType.Double, value => value, random => random.NextDouble()),
        new ElementType<Float16>("float16", TensorElementType.Float16, value => (Float16)value, random => (Float16)random.NextSingle()),
        new ElementType<long>("int64", TensorElementType.Int64, value => (long)value, random => random.NextInt64(Indices)),
        new ElementType<int>("int32", TensorElementType.Int32, value => (int)value, random => random.Next(Indices)),
        new ElementType<short>("int16", TensorElementType.Int16, value => (short)value, random => (short)random.Next(Indices)),
        new ElementType<sbyte>("int8", TensorElementType.Int8, value => (sbyte)value, random => (sbyte)random.Next(Indices)),
        new ElementType<ulong>("uint64", TensorElementType.UInt64, value => (ulong)value, random => (ulong)random.Next(Indices)),
        new ElementType<uint>("uint32", TensorElementType.UInt32, value => (uint)value, random => (uint)random.Next(Indices)),
        new ElementType<ushort>("uint16", TensorElementType.UInt16, value => (ushort)value, random => (ushort)random.Next(Indices)),
        new ElementType<byte>("uint8", TensorElementType.UInt8, value => (byte)value, random => (byte)random.Next(Indices)),
        new TruthType(),
    ];

    /// <summary>ONNX Runtime's type; null for one that graphs are not run with.</summary>
    public static ElementType? Of(TensorElementType code) => All.FirstOrDefault(type => type.Code == code);

    /// <summary>The type of that name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static ElementType Named(string name) => All.FirstOrDefault(type => type.Name == name)
        ?? throw new ArgumentException($"'{name}' is none of {string.Join(", ", All.Select(type => type.Name))}.", nameof(name));

    /// <summary>Zeros that stay where they are in memory.</summary>
    public abstract Array Pinned(int count);

    /// <summary>Made-up numbers: floats uniform in [0, 1), whole numbers uniform in [0, 4), truth values all true.</summary>
    public abstract Array Random(int count, Random random);

    /// <summary>The numbers that floats are in this type: whole ones lose what is behind the point, truth values are what is not 0.</summary>
    public abstract Array Convert(float[] values);

    /// <summary>The numbers that bytes are.</summary>
    /// <exception cref="ArgumentException">The last one lacks a part.</exception>
    public abstract Array Read(ReadOnlySpan<byte> bytes);

    /// <summary>A tensor over an array of this type, in place.</summary>
    public abstract OrtValue Wrap(Array numbers, long[] shape);
}

/// <typeparam name="T">.NET's type of the numbers.</typeparam>
/// <inheritdoc cref="ElementType"/>
record ElementType<T>(string Name, TensorElementType Code, Func<float, T> From, Func<Random, T> Next) : ElementType(Name, Code)
    where T : unmanaged
{
    public override Array Pinned(int count) => GC.AllocateArray<T>(count, pinned: true);

    public override Array Random(int count, Random random)
    {
        var numbers = new T[count];
        for (var i = 0; i < count; i++)
        {
            numbers[i] = Next(random);
        }

        return numbers;
    }

    public override Array Convert(float[] values) => Array.ConvertAll(values, value => From(value));

    public override Array Read(ReadOnlySpan<byte> bytes) => bytes.Length % Unsafe.SizeOf<T>() == 0
        ? MemoryMarshal.Cast<byte, T>(bytes).ToArray()
        : throw new ArgumentException($"{bytes.Length} bytes are no whole numbers of {Name}.", nameof(bytes));

    public override OrtValue Wrap(Array numbers, long[] shape) => OrtValue.CreateTensorValueFromMemory((T[])numbers, shape);
}

/// <summary>Truth values, a byte each: other bytes than 0 and 1 are none to ONNX Runtime, and true in NumPy.</summary>
sealed record TruthType() : ElementType<bool>("bool", TensorElementType.Bool, value => value != 0, _ => true)
{
    public override Array Read(ReadOnlySpan<byte> bytes) => Array.ConvertAll(bytes.ToArray(), value => value != 0);
}
