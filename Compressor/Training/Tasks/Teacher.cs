using System.Security.Cryptography;
using Google.Protobuf;
using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Onnx;
using MaestroDeploy.Runtime;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Training.Tasks;

/// <summary>A model that another learns to answer like: its file as it is, in ONNX Runtime, whatever its operators and whatever batch it fixes.</summary>
public sealed class Teacher : IDisposable
{
    const int IdLength = 12;
    const double LeastProbability = 1e-30; // its logarithm is finite in float32

    readonly ModelSession _session;
    readonly (string Name, string Type)[] _inputs;
    readonly int? _batch;
    readonly bool _givesProbabilities;

    /// <param name="path">The model's file.</param>
    /// <param name="settings">How to run it; null for the defaults.</param>
    /// <exception cref="OnnxFormatException">It is no ONNX model.</exception>
    /// <exception cref="ModelException">ONNX Runtime cannot load it.</exception>
    public Teacher(string path, SessionSettings? settings = null)
    {
        var model = OnnxModel.Load(path);
        var answering = FloatAnswers.Given(model);
        Name = Path.GetFileName(path);
        _inputs = [.. model.Inputs.Select(input => (input.Name, ElementTypes.Name(input.Type?.TensorType?.ElemType ?? 0)))];
        _batch = model.Inputs.FirstOrDefault()?.Type?.TensorType?.Shape?.Dim is [{ HasDimValue: true, DimValue: > 0 } first, ..] ? checked((int)first.DimValue) : null;
        _givesProbabilities = FloatAnswers.BeforeSoftmax(model) is not null;
        using var file = File.OpenRead(path);
        Id = Convert.ToHexStringLower(SHA256.HashData(file))[..IdLength];
        _session = ReferenceEquals(answering, model) ? new ModelSession(path, settings) : new ModelSession(path, answering.Proto.ToByteArray(), settings);
    }

    /// <summary>The file's name.</summary>
    public string Name { get; }

    /// <summary>The first digits of its file's SHA-256: many files are called alike.</summary>
    public string Id { get; }

    /// <summary>Its first output for a batch, or the first of its <see cref="FloatAnswers"/>, [samples, …], which the caller owns.</summary>
    /// <param name="inputs">A tensor for each of its inputs, in its order: floats for floats, else whole numbers or truth values.</param>
    /// <param name="asLogits">Whether of a final Softmax the logarithm is given, which are logits again.</param>
    /// <exception cref="UntrainableModelException">It does not take such inputs, or its answer's first axis does not go over the samples.</exception>
    public Tensor Answers(IReadOnlyList<Tensor> inputs, bool asLogits = true)
    {
        using var scope = NewDisposeScope();
        var samples = inputs[0].shape[0];
        var size = _batch ?? samples;
        List<Tensor> parts = [];
        for (var first = 0L; first < samples; first += size)
        {
            var length = Math.Min(size, samples - first);
            parts.Add(Part([.. inputs.Select(input => Filled(input.narrow(0, first, length), size))]).narrow(0, 0, length));
        }

        var answers = parts.Count == 1 ? parts[0] : cat(parts, 0);
        return (asLogits && _givesProbabilities ? answers.clamp_min(LeastProbability).log() : answers).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();

    // A batch that the model fixes is filled up with the first sample.
    static Tensor Filled(Tensor samples, long size) => samples.shape[0] == size ? samples : cat([samples, .. Enumerable.Repeat(samples[..1], (int)(size - samples.shape[0]))], 0);

    Tensor Part(Tensor[] inputs)
    {
        try
        {
            var output = _session.RunAll([.. _inputs.Zip(inputs, (input, tensor) => Input(input.Name, input.Type, tensor))])[0];
            return output.Shape is [var rows, ..] && rows == inputs[0].shape[0] ? NativeTensor.From(output.Values, Array.ConvertAll(output.Shape, extent => (long)extent))
                : throw new UntrainableModelException(Name, "(as a teacher)",
                    $"to a batch of {inputs[0].shape[0]} it answers [{string.Join(", ", output.Shape)}], and the first axis of an answer goes over the samples");
        }
        catch (ArgumentException e)
        {
            throw new UntrainableModelException(Name, "(as a teacher)", $"it does not take what the model takes that learns from it: {e.Message}");
        }
    }

    // Floats are not made whole numbers of: who feeds them feeds another model's inputs.
    static InputTensor Input(string name, string type, Tensor tensor)
    {
        var shape = Array.ConvertAll(tensor.shape, extent => (int)extent);
        return tensor.dtype == ScalarType.Int64 && type == "int64" ? new InputTensor(name, tensor.contiguous().data<long>().ToArray(), shape)
            : InputTensor.FromFloats(name, type != "float64" && tensor.is_floating_point() ? "float32" : type, tensor.to(float32).contiguous().data<float>().ToArray(), shape);
    }
}
