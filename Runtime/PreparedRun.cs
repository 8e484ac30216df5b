using Microsoft.ML.OnnxRuntime;

namespace MaestroDeploy.Runtime;

/// <summary>A loaded graph with its input and outputs in place, so that running it again allocates no tensor.</summary>
sealed class PreparedRun : IDisposable
{
    readonly ModelSession _session;
    readonly OrtValue[] _inputs;
    IDisposableReadOnlyCollection<OrtValue>? _outputs;

    /// <param name="session">The graph; the caller keeps it alive and disposes of it.</param>
    /// <param name="batch">Samples in one run.</param>
    /// <param name="seed">Seed of the input's numbers, uniform in [0, 1).</param>
    public PreparedRun(ModelSession session, int batch, int seed)
    {
        _session = session;
        var shape = session.InputShape(batch);
        var random = new Random(seed);
        var input = new float[shape.Aggregate(1, (product, size) => product * size)];
        for (var i = 0; i < input.Length; i++)
        {
            input[i] = random.NextSingle();
        }

        _inputs = [session.InputValue(input, shape)];
    }

    /// <summary>One run. The first lets ONNX Runtime allocate the outputs; those after it write to the same ones.</summary>
    public void Run() => _session.RunNative(_inputs, ref _outputs);

    public void Dispose()
    {
        _outputs?.Dispose();
        _inputs[0].Dispose();
    }
}
