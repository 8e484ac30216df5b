using System.Security.Cryptography;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Protos;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;

namespace MaestroDeploy.Exporter.Slicing;

/// <summary>The one data file that all graphs of a family read: every tensor once, every factor once at its largest rank.</summary>
/// <remarks>
/// Factors are rank-major, so a smaller rank is a prefix: the same offset under a shorter length. Large tensors start at
/// multiples of 64 KiB and 4 KiB, which every system can map into memory; small ones lie close, so that padding stays below 5 %.
/// </remarks>
public sealed class SharedWeights : IDisposable
{
    const int MostInside = 8; // elements: two for each axis of an image batch

    readonly FileStream _file;
    readonly string _name;
    readonly Dictionary<string, ExternalData> _factors = [];
    readonly Dictionary<string, ExternalData> _byContent = [];

    /// <param name="path">The file to write; it must not exist.</param>
    public SharedWeights(string path)
    {
        _file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        _name = Path.GetFileName(path);
    }

    /// <summary>Stores a factor at the largest rank that any variant reads.</summary>
    /// <param name="model">The model that holds the factor whole.</param>
    /// <param name="name">The factor's initializer, [components, …].</param>
    /// <param name="rank">Components to store.</param>
    public void AddFactor(OnnxModel model, string name, int rank)
    {
        var tensor = model.Initializer(name)!;
        var bytes = model.RawBytes(tensor);
        _factors.Add(name, Append(bytes[..(int)(bytes.Length / tensor.Dims[0] * rank)]));
    }

    /// <summary>Points every float32 or float16 initializer of a graph at this file but the smallest, writing those that are not there yet.</summary>
    /// <returns>The bytes of tensors that the graph reads from here.</returns>
    /// <exception cref="InvalidOperationException">A factor is longer than what <see cref="AddFactor"/> stored.</exception>
    public long Externalise(OnnxModel model)
    {
        long bytes = 0;
        foreach (var tensor in model.Graph.Initializer.Where(tensor => (DataType)tensor.DataType is DataType.Float or DataType.Float16 && !StaysInside(tensor)))
        {
            var place = Place(model, tensor);
            place.WriteTo(tensor);
            bytes += place.Length;
        }

        return bytes;
    }

    /// <summary>Makes what was written so far visible to a graph that is loaded now.</summary>
    public void Flush() => _file.Flush();

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    // ONNX Runtime reads some constants while it loads a graph, such as a Resize's scales, and those only from the graph itself.
    bool StaysInside(TensorProto tensor) => ElementTypes.Count(tensor) <= MostInside && !_factors.ContainsKey(tensor.Name);

    ExternalData Place(OnnxModel model, TensorProto tensor)
    {
        var values = model.RawBytes(tensor);
        if (_factors.TryGetValue(tensor.Name, out var factor))
        {
            return values.Length <= factor.Length
                ? factor with { Length = values.Length }
                : throw new InvalidOperationException($"Factor '{tensor.Name}' has {values.Length} bytes, and {factor.Length} were stored.");
        }

        var content = Convert.ToHexString(SHA256.HashData(values));
        if (!_byContent.TryGetValue(content, out var place))
        {
            place = Append(values);
            _byContent[content] = place;
        }

        return place;
    }

    ExternalData Append(ReadOnlySpan<byte> bytes)
    {
        var alignment = bytes.Length >= 2 << 20 ? 64 << 10 : bytes.Length >= 128 << 10 ? 4 << 10 : 16;
        var offset = (_file.Position + alignment - 1) / alignment * alignment;
        _file.SetLength(offset);
        _file.Position = offset;
        _file.Write(bytes);
        return new ExternalData(_name, offset, bytes.Length);
    }
}
