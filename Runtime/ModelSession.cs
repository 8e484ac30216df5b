using System.Globalization;
using MaestroDeploy.Profiles;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MaestroDeploy.Runtime;

/// <summary>One graph, loaded and ready to run: inputs and outputs are tensors of numbers or truth values.</summary>
/// <remarks>
/// Runs may come from several threads at once. Most calls are about a graph's float outputs: numbers of <c>float16</c> go in and come out as
/// <c>float32</c>, and outputs of other types are not asked for but where there are no others; <see cref="RunTyped"/> gives every output as it is.
/// </remarks>
public sealed class ModelSession : IDisposable
{
    readonly string _name;
    readonly InferenceSession _session;
    readonly RunOptions _options = new();
    readonly string[] _outputNames, _typedNames;

    /// <summary>Loads a graph and whatever weights it reads from its own folder.</summary>
    /// <param name="path">The graph's file.</param>
    /// <param name="settings">How to run it; null for the defaults.</param>
    /// <exception cref="DeviceException">The device is not to be had.</exception>
    /// <exception cref="ModelException">The file is missing, cannot be loaded, or takes or gives something else.</exception>
    public ModelSession(string path, SessionSettings? settings = null)
        : this(path, SessionFactory.Load(path, settings ??= new SessionSettings()), settings.Device)
    {
    }

    /// <summary>Loads a graph that has no file, its weights inline.</summary>
    /// <param name="name">What messages call it.</param>
    /// <param name="graph">An ONNX ModelProto.</param>
    /// <param name="settings">How to run it; null for the defaults.</param>
    /// <inheritdoc cref="ModelSession(string, SessionSettings?)"/>
    public ModelSession(string name, byte[] graph, SessionSettings? settings = null)
        : this(name, SessionFactory.Load(name, graph, settings ??= new SessionSettings()), settings.Device)
    {
    }

    ModelSession(string name, InferenceSession session, Device device)
    {
        Device = device;
        _name = name;
        _session = session;
        try
        {
            Inputs = [.. session.InputNames.Select(input => Signature(input, session.InputMetadata[input]))];
            TensorSignature[] outputs = [.. session.OutputNames.Select(output => TensorShapes.Signature(output, session.OutputMetadata[output])).OfType<TensorSignature>()];
            Outputs = outputs.Any(IsAnswer) ? [.. outputs.Where(IsAnswer)] : outputs;
            _outputNames = [.. Outputs.Select(output => output.Name)];
            _typedNames = [.. outputs.Select(output => output.Name)];
            OtherOutputs = [.. session.OutputNames.Except(_typedNames)];
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Loads a graph whose nodes are timed until <see cref="EndProfiling"/>.</summary>
    /// <param name="path">The graph's file.</param>
    /// <param name="settings">How to run it.</param>
    /// <param name="profilePrefix">The start of the path of the file that the times are written to.</param>
    internal static ModelSession Profiled(string path, SessionSettings settings, string profilePrefix) =>
        new(path, SessionFactory.Load(path, settings, profilePrefix), settings.Device);

    /// <summary>Writes the times of the nodes.</summary>
    /// <returns>The file.</returns>
    internal string EndProfiling() => _session.EndProfiling();

    /// <summary>What it takes, in the graph's order.</summary>
    public IReadOnlyList<TensorSignature> Inputs { get; }

    /// <summary>What it gives, in the graph's order: its float tensors, or all of a graph that gives none.</summary>
    public IReadOnlyList<TensorSignature> Outputs { get; }

    /// <summary>The names of outputs that no run asks for: texts, sequences and maps.</summary>
    public IReadOnlyList<string> OtherOutputs { get; }

    /// <summary>What it runs on.</summary>
    public Device Device { get; }

    /// <summary>Whether inputs in the processor's memory must be bound again, hence copied, before each run.</summary>
    internal bool CopiesInputs => Device.CudaIndex is not null;

    // What the shorter calls are about.
    TensorSignature OnlyInput => Inputs is [var only] && IsFloat(only)
        ? only
        : throw new ModelException(_name, $"It takes {string.Join(" and ", Inputs)}, not one float32 input; give each input by its name.");

    /// <summary>Makes sure that a device is to be had, by running a graph that does nothing on it.</summary>
    /// <exception cref="DeviceException">It is not; the message says why and what to do.</exception>
    public static void CheckDevice(Device device)
    {
        using var session = Identity(new SessionSettings { Device = device });
    }

    /// <summary>The graph that does nothing; running it shows what a call costs by itself.</summary>
    internal static ModelSession Identity(SessionSettings settings) =>
        new("the identity graph", SessionFactory.LoadIdentity(settings), settings.Device);

    /// <summary>The only input's shape for a batch: the first axis takes the batch's size where the graph leaves it open.</summary>
    /// <param name="batch">Samples in the batch, 1 or more.</param>
    /// <exception cref="ModelException">
    /// The graph takes more than one float input, fixes another batch, leaves another axis open, or the input would pass 1 GiB.
    /// </exception>
    public int[] InputShape(int batch)
    {
        var input = OnlyInput;
        return input.Shape.Skip(1).FirstOrDefault(axis => axis.Size is null) is { } open
            ? throw new ModelException(_name, $"Its input {input} leaves axis {open} open; only the first may be.")
            : InputShapes(batch, openAxis: 1)[0];
    }

    /// <summary>Runs a graph of one float input and returns its first output.</summary>
    /// <param name="input">The input's numbers, the last axis running fastest.</param>
    /// <param name="shape">The input's shape, batch first.</param>
    /// <returns>The first output's numbers, the last axis running fastest.</returns>
    /// <exception cref="ArgumentException">The shape is not the graph's, or <paramref name="input"/> does not fill it.</exception>
    /// <exception cref="ModelException">The graph takes other inputs, or the run fails.</exception>
    public float[] Run(float[] input, params ReadOnlySpan<int> shape) => RunAll(input, shape)[0].Values;

    /// <summary>Runs a graph of one float input and returns every output.</summary>
    /// <returns>The outputs in the graph's order.</returns>
    /// <inheritdoc cref="Run"/>
    public IReadOnlyList<NamedTensor> RunAll(float[] input, params ReadOnlySpan<int> shape)
    {
        CheckShape(OnlyInput, shape, nameof(shape)); // first, so that a wrong shape is told beside the graph's
        return RunAll(new InputTensor(OnlyInput.Name, input, shape));
    }

    /// <summary>Runs the graph and returns every one of its <see cref="Outputs"/>, as floats.</summary>
    /// <param name="inputs">A tensor for each of the graph's inputs, in any order.</param>
    /// <returns>The outputs in the graph's order.</returns>
    /// <exception cref="ArgumentException">An input is missing, unknown, given twice, or not of the graph's type or shape.</exception>
    /// <exception cref="ModelException">The run fails, or no output is a tensor of numbers.</exception>
    public IReadOnlyList<NamedTensor> RunAll(params ReadOnlySpan<InputTensor> inputs) =>
        Run(inputs, _outputNames, (name, shape, output) => new NamedTensor(name, shape, Floats(output)));

    /// <summary>Runs the graph and returns every output in its own type; see <see cref="OtherOutputs"/> for what is not among them.</summary>
    /// <returns>The outputs in the graph's order.</returns>
    /// <inheritdoc cref="RunAll(ReadOnlySpan{InputTensor})"/>
    public IReadOnlyList<OutputTensor> RunTyped(params ReadOnlySpan<InputTensor> inputs) => Run(inputs, _typedNames, (name, shape, output) =>
        new OutputTensor(name, ElementType.Of(output.GetTensorTypeAndShape().ElementDataType)!.Name, shape, output.GetTensorMutableRawData().ToArray()));

    /// <inheritdoc/>
    public void Dispose()
    {
        _session.Dispose();
        _options.Dispose();
    }

    /// <summary>Every input's shape when a batch and one size for every other open axis are chosen.</summary>
    /// <exception cref="ModelException">The graph fixes another batch, or an input would pass 1 GiB.</exception>
    internal int[][] InputShapes(int batch, int openAxis)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(openAxis, 1);
        var (shapes, problem) = TensorShapes.Fill(Inputs, batch, openAxis);
        return problem is null ? shapes : throw new ModelException(_name, problem);
    }

    /// <summary>The inputs as ONNX Runtime sees them, in place and in the graph's order; the caller disposes of them.</summary>
    /// <inheritdoc cref="RunAll(ReadOnlySpan{InputTensor})"/>
    internal OrtValue[] InputValues(params ReadOnlySpan<InputTensor> inputs)
    {
        var given = new Dictionary<string, InputTensor>(StringComparer.Ordinal);
        foreach (var input in inputs)
        {
            var signature = Inputs.FirstOrDefault(one => one.Name == input.Name)
                ?? throw new ArgumentException($"{_name} has no input '{input.Name}'; it takes {string.Join(" and ", Inputs)}.", nameof(inputs));
            if (input.Type != signature.Type && !(input.Type == "float32" && IsFloat(signature)))
            {
                throw new ArgumentException($"{_name} takes {signature}; found {input.Type}.", nameof(inputs));
            }

            CheckShape(signature, input.Shape, nameof(inputs));
            if (!given.TryAdd(input.Name, input))
            {
                throw new ArgumentException($"Input '{input.Name}' is given twice.", nameof(inputs));
            }
        }

        return Inputs.FirstOrDefault(one => !given.ContainsKey(one.Name)) is { } missing
            ? throw new ArgumentException($"{_name} takes {missing}, which is not given.", nameof(inputs))
            : [.. Inputs.Select(input => given[input.Name].ToOrtValue(input.Type))];
    }

    /// <summary>Runs into <see cref="Outputs"/> that ONNX Runtime allocates; the caller disposes of them.</summary>
    /// <exception cref="ModelException">The run fails, or no output is a tensor of numbers.</exception>
    internal IDisposableReadOnlyCollection<OrtValue> RunNative(OrtValue[] inputs) => RunNative(inputs, _outputNames);

    IReadOnlyList<T> Run<T>(ReadOnlySpan<InputTensor> inputs, string[] names, Func<string, int[], OrtValue, T> read)
    {
        var values = InputValues(inputs);
        try
        {
            using var outputs = RunNative(values, names);
            return [.. names.Zip(outputs, (name, output) => read(name, Array.ConvertAll(output.GetTensorTypeAndShape().Shape, checked(size => (int)size)), output))];
        }
        finally
        {
            Array.ForEach(values, value => value.Dispose());
        }
    }

    IDisposableReadOnlyCollection<OrtValue> RunNative(OrtValue[] inputs, string[] names)
    {
        if (names.Length == 0)
        {
            throw new ModelException(_name, $"It gives {string.Join(" and ", _session.OutputNames)}, none of them of a type that this run asks for.");
        }

        try
        {
            return _session.Run(_options, _session.InputNames, inputs, names);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelException(_name, $"The run failed: {e.Message}", e);
        }
    }

    /// <summary>Binds tensors to every input and output, in the graph's order.</summary>
    internal OrtIoBinding CreateBinding(IReadOnlyList<OrtValue> inputs, IReadOnlyList<OrtValue> outputs)
    {
        var binding = _session.CreateIoBinding();
        try
        {
            foreach (var (input, value) in Inputs.Zip(inputs))
            {
                binding.BindInput(input.Name, value);
            }

            foreach (var (output, value) in Outputs.Zip(outputs))
            {
                binding.BindOutput(output.Name, value);
            }

            return binding;
        }
        catch (OnnxRuntimeException e)
        {
            binding.Dispose();
            throw new ModelException(_name, $"Its tensors cannot be bound: {e.Message}", e);
        }
    }

    /// <summary>Runs what is bound; on a GPU, until the outputs are there.</summary>
    internal void RunBound(OrtIoBinding binding)
    {
        try
        {
            _session.RunWithBinding(_options, binding);
            if (CopiesInputs)
            {
                binding.SynchronizeBoundOutputs();
            }
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelException(_name, $"The run failed: {e.Message}", e);
        }
    }

    void CheckShape(TensorSignature signature, ReadOnlySpan<int> shape, string argument)
    {
        if (!TensorShapes.Fits(signature, shape))
        {
            throw new ArgumentException($"{_name} takes {signature}; found shape [{TensorShapes.Text(shape)}].", argument);
        }
    }

    static bool IsFloat(TensorSignature signature) => signature.Type is "float32" or "float16";

    static bool IsAnswer(TensorSignature signature) => IsFloat(signature) || signature.Type == "float64";

    static float[] Floats(OrtValue output) => output.GetTensorTypeAndShape().ElementDataType switch
    {
        TensorElementType.Float => output.GetTensorDataAsSpan<float>().ToArray(),
        TensorElementType.Float16 => Array.ConvertAll(output.GetTensorDataAsSpan<Float16>().ToArray(), value => (float)value),
        var other => [.. ElementType.Of(other)!.Read(output.GetTensorMutableRawData()).Cast<object>().Select(number => Convert.ToSingle(number, CultureInfo.InvariantCulture))],
    };

    TensorSignature Signature(string name, NodeMetadata metadata) => TensorShapes.Signature(name, metadata)
        ?? throw new ModelException(_name, $"'{name}' is {(metadata.IsTensor ? metadata.ElementDataType : metadata.OnnxValueType)}, "
            + $"none of {string.Join(", ", ElementType.All.Select(type => type.Name))}.");
}
