using System.Globalization;
using MaestroDeploy.Onnx.Protos;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;

namespace MaestroDeploy.Onnx;

/// <summary>Where a tensor's bytes lie outside its graph's file (ONNX, docs/ExternalData.md).</summary>
/// <param name="Location">The data file, relative to the graph's folder and inside it.</param>
/// <param name="Offset">First byte of the tensor in that file.</param>
/// <param name="Length">Bytes of the tensor.</param>
public sealed record ExternalData(string Location, long Offset, long Length)
{
    /// <summary>Whether the tensor's bytes are in another file.</summary>
    public static bool IsExternal(TensorProto tensor) => tensor.DataLocation == DataLocation.External;

    /// <summary>Points a tensor at this place and drops the bytes that it held itself.</summary>
    public void WriteTo(TensorProto tensor)
    {
        tensor.ClearRawData();
        tensor.FloatData.Clear();
        tensor.DoubleData.Clear();
        tensor.Int32Data.Clear();
        tensor.Int64Data.Clear();
        tensor.Uint64Data.Clear();
        tensor.DataLocation = DataLocation.External;
        tensor.ExternalData.Clear();
        tensor.ExternalData.Add(Entry("location", Location));
        tensor.ExternalData.Add(Entry("offset", Offset.ToString(CultureInfo.InvariantCulture)));
        tensor.ExternalData.Add(Entry("length", Length.ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>Reads where a tensor's bytes lie, and checks the place against the file before anyone allocates for it.</summary>
    /// <param name="tensor">A tensor for which <see cref="IsExternal"/> holds.</param>
    /// <param name="folder">The folder of the graph's file.</param>
    /// <param name="file">The graph's file, for messages.</param>
    /// <exception cref="OnnxFormatException">The location is absolute, holds "..", leaves the folder through a link or does not
    /// exist, or the offset and length do not lie in the file or do not match the tensor's shape.</exception>
    public static ExternalData Of(TensorProto tensor, string folder, string file)
    {
        var location = Value(tensor, "location") ?? throw Refuse(tensor, file, "its external data has no location");
        var path = Inside(folder, location) ?? throw Refuse(tensor, file,
            $"its external data is at '{location}', which is not a plain path inside the model's folder, or is a link; put the data itself beside the model");
        var info = new FileInfo(path);
        if (!info.Exists)
        {
            throw Refuse(tensor, file, $"its data file '{location}' is missing from the model's folder");
        }

        var bytes = ElementTypes.Bytes(tensor);
        var offset = Number(tensor, "offset", file) ?? 0;
        var length = Number(tensor, "length", file) ?? bytes;
        if (length != bytes)
        {
            throw Refuse(tensor, file, $"its shape needs {bytes:N0} bytes, but its external data is given {length:N0}");
        }

        if (offset > info.Length || length > info.Length - offset)
        {
            throw Refuse(tensor, file, $"its data ends at byte {(decimal)offset + length:N0}, but '{location}' has {info.Length:N0} bytes");
        }

        return new ExternalData(location, offset, length);
    }

    /// <summary>The full path of a location inside a folder, or null where it would leave it, by its text or through a link.</summary>
    public static string? Inside(string folder, string location)
    {
        // A backslash separates folders on Windows only, and would make the same model safe here and not there.
        string[] parts = [.. location.Split('/', '\\').Where(part => part != ".")];
        if (parts.Length == 0 || Path.IsPathRooted(location) || location.Contains(':') || location.Contains('\0') || parts.Any(part => part is "" or ".."))
        {
            return null;
        }

        var path = Path.GetFullPath(folder);
        foreach (var part in parts)
        {
            path = Path.Combine(path, part);
            FileSystemInfo here = Directory.Exists(path) ? new DirectoryInfo(path) : new FileInfo(path);
            if (here.LinkTarget is not null)
            {
                return null;
            }
        }

        return path;
    }

    static string? Value(TensorProto tensor, string key) => tensor.ExternalData.LastOrDefault(entry => entry.Key == key)?.Value;

    static long? Number(TensorProto tensor, string key, string file)
    {
        var text = Value(tensor, key);
        if (text is null)
        {
            return null;
        }

        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Refuse(tensor, file, $"the {key} of its external data is '{text}', not a count of bytes");
    }

    static StringStringEntryProto Entry(string key, string value) => new() { Key = key, Value = value };

    static OnnxFormatException Refuse(TensorProto tensor, string file, string problem) => new(file, $"tensor '{tensor.Name}': {problem}");
}
