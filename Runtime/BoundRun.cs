using Microsoft.ML.OnnxRuntime;

namespace MaestroDeploy.Runtime;

/// <summary>A graph bound once to the tensors that it reads and writes, so that a run is one native call and nothing else.</summary>
/// <remarks>
/// Disposing of it leaves session and tensors as they are; it must go before the session. On a GPU, inputs that lie in the
/// processor's memory are copied again before each run, since binding is when ONNX Runtime copies; tensors that
/// lie on the GPU are used in place.
/// </remarks>
sealed class BoundRun : IDisposable
{
    readonly ModelSession _session;
    readonly OrtIoBinding _binding;
    readonly IReadOnlyList<OrtValue> _copied;

    /// <param name="session">The graph.</param>
    /// <param name="inputs">A tensor for each of its inputs, in its order and of its types and shapes.</param>
    /// <param name="outputs">A tensor for each of its outputs, likewise.</param>
    public BoundRun(ModelSession session, IReadOnlyList<OrtValue> inputs, IReadOnlyList<OrtValue> outputs)
    {
        _session = session;
        _copied = session.CopiesInputs ? inputs : [];
        _binding = session.CreateBinding(inputs, outputs);
    }

    /// <summary>One run, from the inputs' numbers as they now are.</summary>
    /// <exception cref="ModelException">It fails.</exception>
    public void Run()
    {
        for (var i = 0; i < _copied.Count; i++)
        {
            _binding.BindInput(_session.Inputs[i].Name, _copied[i]);
        }

        _session.RunBound(_binding);
    }

    public void Dispose() => _binding.Dispose();
}
