using MaestroDeploy.Profiles;
using Microsoft.ML.OnnxRuntime;

namespace MaestroDeploy.Runtime;

/// <summary>A loaded graph with its inputs and outputs in place, so that running it again allocates no tensor.</summary>
sealed class PreparedRun : IDisposable
{
    readonly ModelSession _session;
    readonly OrtValue[] _inputs;
    IDisposableReadOnlyCollection<OrtValue>? _outputs;
    BoundRun? _bound;

    /// <param name="session">The graph; the caller keeps it alive and disposes of it.</param>
    /// <param name="batch">Samples in one run.</param>
    /// <param name="openAxis">The size of every other axis that the graph leaves open.</param>
    /// <param name="seed">Seed of the inputs: floats uniform in [0, 1), whole numbers uniform in [0, 4), masks all true.</param>
    public PreparedRun(ModelSession session, int batch, int openAxis, int seed)
    {
        _session = session;
        var random = new Random(seed);
        _inputs = session.InputValues(
            [.. session.Inputs.Zip(session.InputShapes(batch, openAxis), (input, shape) => Filled(input, shape, random))]);
    }

    /// <summary>One run. The first lets ONNX Runtime allocate the outputs; those after it write to the same ones, as deployed runs do.</summary>
    public void Run()
    {
        if (_bound is not null)
        {
            _bound.Run();
            return;
        }

        _outputs = _session.RunNative(_inputs);
        _bound = new BoundRun(_session, _inputs, [.. _outputs]);
    }

    /// <summary>The shapes of the outputs, after the first run.</summary>
    public int[][] OutputShapes() =>
        [.. _outputs!.Select(output => Array.ConvertAll(output.GetTensorTypeAndShape().Shape, checked(size => (int)size)))];

    public void Dispose()
    {
        _bound?.Dispose();
        _outputs?.Dispose();
        Array.ForEach(_inputs, input => input.Dispose());
    }

    static InputTensor Filled(TensorSignature input, int[] shape, Random random)
    {
        var type = ElementType.Named(input.Type);
        return new InputTensor(input.Name, type, type.Random(TensorShapes.Count(shape), random), shape);
    }
}
