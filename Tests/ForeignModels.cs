using Google.Protobuf;
using MaestroDeploy.Onnx;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MaestroDeploy.Tests;

/// <summary>The models of others in the folder <c>shared</c>, and ONNX Runtime on inputs that fit them.</summary>
static class ForeignModels
{
    // Long enough for a spectrogram's window, and for an image's last pooling.
    const int OpenAxis = 1024, OpenImageAxis = 64;

    // What scales images itself takes bytes; where they are as good as black, its norms divide by next to nothing, and ONNX Runtime's own
    // optimisations change the answers by 3e-4.
    const float Pixel = 255;

    /// <summary>Their files.</summary>
    public static IEnumerable<string> Files() => Directory.GetFiles(SharedFolder.Require("models"), "*.onnx").Order();

    /// <summary>All outputs of a model, one after the other, on random numbers.</summary>
    public static float[] Run(OnnxModel model)
    {
        using var quiet = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        using var session = new InferenceSession(model.Proto.ToByteArray(), quiet);
        using var options = new RunOptions();
        var random = new Random(11);
        var largest = model.Graph.Node.Any(node => node.OpType == "ImageScaler") ? Pixel : 1;
        var inputs = session.InputMetadata.Select(input => Filled(input.Value, random, largest)).ToList();
        using var outputs = session.Run(options, [.. session.InputMetadata.Keys], inputs, session.OutputNames);
        inputs.ForEach(input => input.Dispose());
        return [.. outputs.SelectMany(Floats)];
    }

    /// <summary>The largest difference as a share of the largest output.</summary>
    public static float RelativeDifference(float[] expected, float[] actual) =>
        Numbers.LargestDifference(expected, actual) / expected.Max(value => Math.Max(Math.Abs(value), 1e-6f));

    static OrtValue Filled(NodeMetadata input, Random random, float largest)
    {
        var open = input.Dimensions.Length >= 4 ? OpenImageAxis : OpenAxis;
        long[] shape = [.. input.Dimensions.Select((size, axis) => size > 0 ? size : axis == 0 ? 1 : open)];
        var count = (int)shape.Aggregate(1L, (product, size) => product * size);
        return input.ElementDataType switch
        {
            TensorElementType.Float16 => Value(shape, [.. Enumerable.Range(0, count).Select(_ => (Float16)random.NextSingle())]),
            TensorElementType.UInt8 => Value(shape, [.. Enumerable.Range(0, count).Select(_ => (byte)random.Next(100))]),
            TensorElementType.Int32 => Value(shape, [.. Enumerable.Range(0, count).Select(_ => random.Next(100))]),
            TensorElementType.Int64 => Value(shape, [.. Enumerable.Range(0, count).Select(_ => (long)random.Next(100))]),
            _ => Value(shape, [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * largest)]),
        };
    }

    static OrtValue Value<T>(long[] shape, T[] values)
        where T : unmanaged => OrtValue.CreateTensorValueFromMemory(values, shape);

    static float[] Floats(OrtValue output) => output.GetTensorTypeAndShape().ElementDataType switch
    {
        TensorElementType.Float => output.GetTensorDataAsSpan<float>().ToArray(),
        TensorElementType.Float16 => Array.ConvertAll(output.GetTensorDataAsSpan<Float16>().ToArray(), value => (float)value),
        TensorElementType.Double => Array.ConvertAll(output.GetTensorDataAsSpan<double>().ToArray(), value => (float)value),
        TensorElementType.Int64 => Array.ConvertAll(output.GetTensorDataAsSpan<long>().ToArray(), value => (float)value),
        TensorElementType.Int32 => Array.ConvertAll(output.GetTensorDataAsSpan<int>().ToArray(), value => (float)value),
        TensorElementType.UInt8 => Array.ConvertAll(output.GetTensorDataAsSpan<byte>().ToArray(), value => (float)value),
        TensorElementType.Bool => Array.ConvertAll(output.GetTensorDataAsSpan<bool>().ToArray(), value => value ? 1f : 0),
        var type => throw new AssertFailedException($"an output of {type} cannot be compared"),
    };
}
