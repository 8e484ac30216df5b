using System.Diagnostics.CodeAnalysis;
using MaestroDeploy.Profiles;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MaestroDeploy.Runtime;

/// <summary>One graph, loaded and ready to run: one float input, any number of float outputs.</summary>
/// <remarks>Runs may come from several threads at once.</remarks>
public sealed class ModelSession : IDisposable
{
    const int MostNumbers = 1 << 28; // 1 GiB of floats

    readonly string _name;
    readonly InferenceSession _session;
    readonly RunOptions _options = new();

    /// <summary>Loads a graph and whatever weights it reads from its own folder.</summary>
    /// <param name="path">The graph's file.</param>
    /// <param name="settings">How to run it; null for the defaults.</param>
    /// <exception cref="DeviceException">The device is not to be had.</exception>
    /// <exception cref="ModelException">The file is missing, cannot be loaded, or takes or gives something other than floats.</exception>
    public ModelSession(string path, SessionSettings? settings = null)
        : this(path, SessionFactory.Load(path, settings ?? new SessionSettings()))
    {
    }

    ModelSession(string name, InferenceSession session)
    {
        _name = name;
        _session = session;
        try
        {
            Inputs = [.. session.InputNames.Select(input => Signature(input, session.InputMetadata[input]))];
            Outputs = [.. session.OutputNames.Select(output => Signature(output, session.OutputMetadata[output]))];
            if (Inputs.Count != 1)
            {
                throw new ModelException(name, $"It takes {Inputs.Count} inputs where one was expected.");
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What it takes: one float tensor.</summary>
    public IReadOnlyList<TensorSignature> Inputs { get; }

    /// <summary>What it gives: float tensors.</summary>
    public IReadOnlyList<TensorSignature> Outputs { get; }

    /// <summary>Makes sure that a device is to be had, by running a graph that does nothing on it.</summary>
    /// <exception cref="DeviceException">It is not; the message says why and what to do.</exception>
    public static void CheckDevice(Device device)
    {
        using var session = Identity(new SessionSettings { Device = device });
    }

    /// <summary>The graph that does nothing; running it shows what a call costs by itself.</summary>
    internal static ModelSession Identity(SessionSettings settings) =>
        new("the identity graph", SessionFactory.Load(IdentityModel.Bytes, settings));

    /// <summary>The input's shape for a batch: the first axis takes the batch's size where the graph leaves it open.</summary>
    /// <param name="batch">Samples in the batch, 1 or more.</param>
    /// <exception cref="ModelException">The graph fixes another batch, leaves another axis open, or the input would pass 1 GiB.</exception>
    public int[] InputShape(int batch)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        var shape = Inputs[0].Shape;
        if (shape.Count > 0 && shape[0].Size is { } only && only != batch)
        {
            throw new ModelException(_name, $"It takes batches of {only} only; {batch} was asked for.");
        }

        int[] sizes = [.. shape.Select((axis, i) => axis.Size ?? (i == 0
            ? batch
            : throw new ModelException(_name, $"Its input {Inputs[0]} leaves axis {axis} open; only the first may be.")))];
        return sizes.Aggregate(1.0, (product, size) => product * size) <= MostNumbers
            ? sizes
            : throw new ModelException(_name, $"An input of [{Text(sizes)}] passes 1 GiB; ask for a smaller batch.");
    }

    /// <summary>Runs the graph and returns its first output.</summary>
    /// <param name="input">The input's numbers, the last axis running fastest.</param>
    /// <param name="shape">The input's shape, batch first.</param>
    /// <returns>The first output's numbers, the last axis running fastest.</returns>
    /// <exception cref="ArgumentException">The shape is not the graph's, or <paramref name="input"/> does not fill it.</exception>
    /// <exception cref="ModelException">The run fails.</exception>
    public float[] Run(float[] input, params ReadOnlySpan<int> shape) => RunAll(input, shape)[0].Values;

    /// <summary>Runs the graph and returns every output.</summary>
    /// <returns>The outputs in the graph's order.</returns>
    /// <inheritdoc cref="Run"/>
    public IReadOnlyList<NamedTensor> RunAll(float[] input, params ReadOnlySpan<int> shape)
    {
        using var value = InputValue(input, shape);
        IDisposableReadOnlyCollection<OrtValue>? results = null;
        RunNative([value], ref results);
        using var outputs = results;
        return [.. _session.OutputNames.Zip(outputs, (name, output) => new NamedTensor(
            name,
            Array.ConvertAll(output.GetTensorTypeAndShape().Shape, checked(size => (int)size)),
            output.GetTensorDataAsSpan<float>().ToArray()))];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _session.Dispose();
        _options.Dispose();
    }

    /// <summary>The input's numbers as ONNX Runtime sees them, in place: they must stay as they are while it is used.</summary>
    internal OrtValue InputValue(float[] input, ReadOnlySpan<int> shape)
    {
        CheckShape(input, shape);
        return OrtValue.CreateTensorValueFromMemory(input, Array.ConvertAll(shape.ToArray(), size => (long)size));
    }

    /// <summary>Runs into outputs of an earlier run of the same shape, allocating no tensor; the first run makes them.</summary>
    internal void RunNative(OrtValue[] inputs, [NotNull] ref IDisposableReadOnlyCollection<OrtValue>? outputs)
    {
        try
        {
            if (outputs is null)
            {
                outputs = _session.Run(_options, _session.InputNames, inputs, _session.OutputNames);
            }
            else
            {
                _session.Run(_options, _session.InputNames, inputs, _session.OutputNames, outputs);
            }
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelException(_name, $"The run failed: {e.Message}", e);
        }
    }

    void CheckShape(float[] input, ReadOnlySpan<int> shape)
    {
        var signature = Inputs[0];
        var fits = shape.Length == signature.Shape.Count;
        var expected = 1L;
        for (var i = 0; fits && i < shape.Length; i++)
        {
            fits = shape[i] >= 1 && shape[i] == (signature.Shape[i].Size ?? shape[i]);
            expected = Math.Min(expected * shape[i], int.MaxValue); // no array is longer, and the product may overflow
        }

        if (!fits)
        {
            throw new ArgumentException($"{_name} takes {signature}; found shape [{Text(shape)}].", nameof(shape));
        }

        if (input.Length != expected)
        {
            throw new ArgumentException($"Shape [{Text(shape)}] holds {expected} numbers; found {input.Length}.", nameof(input));
        }
    }

    static string Text(ReadOnlySpan<int> shape) => string.Join(", ", shape.ToArray());

    TensorSignature Signature(string name, NodeMetadata metadata)
    {
        if (!metadata.IsTensor || metadata.ElementDataType != TensorElementType.Float)
        {
            object found = metadata.IsTensor ? metadata.ElementDataType : metadata.OnnxValueType;
            throw new ModelException(_name, $"'{name}' is {found}, not Float.");
        }

        var axes = metadata.Dimensions.Zip(metadata.SymbolicDimensions, (size, symbol) =>
            size >= 0 ? new Axis(size) : new Axis(string.IsNullOrWhiteSpace(symbol) ? "?" : symbol));
        return new TensorSignature(name, "float32", [.. axes]);
    }
}
