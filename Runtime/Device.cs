using System.Globalization;

namespace MaestroDeploy.Runtime;

/// <summary>What runs a graph: the processor, or one CUDA device.</summary>
/// <remarks>The default value is the processor.</remarks>
public readonly record struct Device
{
    Device(int cudaIndex) => CudaIndex = cudaIndex;

    /// <summary>The processor.</summary>
    public static Device Cpu => default;

    /// <summary>Which CUDA device, from 0; null for the processor.</summary>
    public int? CudaIndex { get; }

    /// <summary>A CUDA device.</summary>
    /// <param name="index">Its number, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="index"/> is negative.</exception>
    public static Device Cuda(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        return new Device(index);
    }

    /// <summary>Reads <c>cpu</c>, <c>cuda</c> (the first) or <c>cuda:N</c>.</summary>
    /// <param name="text">What <see cref="ToString"/> writes.</param>
    /// <exception cref="ArgumentException"><paramref name="text"/> is neither.</exception>
    public static Device Parse(string text) => text switch
    {
        "cpu" => Cpu,
        "cuda" => Cuda(0),
        _ when text.StartsWith("cuda:", StringComparison.Ordinal)
            && int.TryParse(text.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var index) => Cuda(index),
        _ => throw new ArgumentException($"A device is cpu or cuda:N; found '{text}'.", nameof(text)),
    };

    /// <summary><c>cpu</c> or <c>cuda:N</c>.</summary>
    public override string ToString() => CudaIndex is { } index ? string.Create(CultureInfo.InvariantCulture, $"cuda:{index}") : "cpu";
}
