using System.Security.Cryptography;
using Microsoft.ML.OnnxRuntime;

namespace MaestroDeploy.Runtime;

/// <summary>One input of a run: its name in the graph, its shape, and the numbers that fill it.</summary>
/// <remarks>The numbers are read in place: they must stay as they are while a run reads them.</remarks>
public sealed class InputTensor
{
    readonly int[] _shape;
    readonly ElementType _type;
    readonly Array _values;

    /// <summary>Numbers of type <c>float32</c>, which a graph that takes <c>float16</c> is given rounded.</summary>
    /// <param name="name">The name that the graph gives the input.</param>
    /// <param name="values">Its numbers, the last axis running fastest.</param>
    /// <param name="shape">The size of each axis, outermost first, each 1 or more; nothing for a scalar.</param>
    /// <exception cref="ArgumentException">The name is empty, or the values do not fill the shape.</exception>
    public InputTensor(string name, float[] values, params ReadOnlySpan<int> shape)
        : this(name, ElementType.Named("float32"), values, shape)
    {
    }

    /// <summary>Numbers of type <c>int64</c>, such as a text's tokens.</summary>
    /// <inheritdoc cref="InputTensor(string, float[], ReadOnlySpan{int})"/>
    public InputTensor(string name, long[] values, params ReadOnlySpan<int> shape)
        : this(name, ElementType.Named("int64"), values, shape)
    {
    }

    /// <summary>Numbers of type <c>int32</c>.</summary>
    /// <inheritdoc cref="InputTensor(string, float[], ReadOnlySpan{int})"/>
    public InputTensor(string name, int[] values, params ReadOnlySpan<int> shape)
        : this(name, ElementType.Named("int32"), values, shape)
    {
    }

    /// <summary>Values of type <c>bool</c>, such as a mask's.</summary>
    /// <inheritdoc cref="InputTensor(string, float[], ReadOnlySpan{int})"/>
    public InputTensor(string name, bool[] values, params ReadOnlySpan<int> shape)
        : this(name, ElementType.Named("bool"), values, shape)
    {
    }

    /// <summary>Numbers of any type that graphs take.</summary>
    /// <inheritdoc cref="InputTensor(string, float[], ReadOnlySpan{int})"/>
    internal InputTensor(string name, ElementType type, Array values, ReadOnlySpan<int> shape)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        var expected = 1L;
        foreach (var size in shape)
        {
            expected = size >= 1
                ? Math.Min(expected * size, int.MaxValue) // no array is longer, and the product may overflow
                : throw new ArgumentException($"'{name}' is given shape [{TensorShapes.Text(shape)}]; every axis has a size of 1 or more.", nameof(shape));
        }

        if (values.Length != expected)
        {
            throw new ArgumentException($"'{name}' of shape [{TensorShapes.Text(shape)}] holds {expected} numbers; found {values.Length}.", nameof(shape));
        }

        (Name, _type, _shape, _values) = (name, type, shape.ToArray(), values);
    }

    /// <summary>The name that the graph gives it.</summary>
    public string Name { get; }

    /// <summary>The type of its numbers, such as <c>float32</c>, <c>int64</c> or <c>bool</c>.</summary>
    public string Type => _type.Name;

    /// <summary>The size of each axis, outermost first.</summary>
    public ReadOnlySpan<int> Shape => _shape;

    /// <summary>Numbers of any type, as they lie in memory or in a file; they are copied.</summary>
    /// <param name="name">The name that the graph gives the input.</param>
    /// <param name="type">Their type, such as <c>float64</c>, <c>uint8</c> or <c>float16</c>.</param>
    /// <param name="bytes">The numbers, little-endian, the last axis running fastest.</param>
    /// <param name="shape">The size of each axis, outermost first, each 1 or more; nothing for a scalar.</param>
    /// <exception cref="ArgumentException">The name is empty, the type is none that graphs take, or the bytes do not fill the shape.</exception>
    public static InputTensor FromBytes(string name, string type, ReadOnlySpan<byte> bytes, params ReadOnlySpan<int> shape)
    {
        var numbers = ElementType.Named(type);
        return new InputTensor(name, numbers, numbers.Read(bytes), shape);
    }

    /// <summary>Numbers of any type, from floats: whole ones lose what is behind the point, truth values are what is not 0.</summary>
    /// <param name="name">The name that the graph gives the input.</param>
    /// <param name="type">The type to be had, such as <c>float64</c>, <c>uint8</c> or <c>bool</c>.</param>
    /// <param name="values">The numbers, the last axis running fastest.</param>
    /// <param name="shape">The size of each axis, outermost first, each 1 or more; nothing for a scalar.</param>
    /// <exception cref="ArgumentException">The name is empty, the type is none that graphs take, or the values do not fill the shape.</exception>
    public static InputTensor FromFloats(string name, string type, float[] values, params ReadOnlySpan<int> shape)
    {
        var numbers = ElementType.Named(type);
        return new InputTensor(name, numbers, numbers.Convert(values), shape);
    }

    /// <summary>A copy of its numbers as they lie in memory, little-endian, the last axis running fastest.</summary>
    public byte[] ToBytes()
    {
        using var value = ToOrtValue(Type);
        return value.GetTensorMutableRawData().ToArray();
    }

    /// <summary>SHA-256 of its numbers.</summary>
    public byte[] Digest()
    {
        using var value = ToOrtValue(Type);
        return SHA256.HashData(value.GetTensorMutableRawData());
    }

    /// <summary>The tensor as ONNX Runtime sees it, in place; a rounded copy where the graph takes <c>float16</c>.</summary>
    /// <param name="type">The type that the graph takes.</param>
    internal OrtValue ToOrtValue(string type)
    {
        var axes = Array.ConvertAll(_shape, size => (long)size);
        return type == "float16" && _values is float[] floats
            ? OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(floats, value => (Float16)value), axes)
            : _type.Wrap(_values, axes);
    }
}
