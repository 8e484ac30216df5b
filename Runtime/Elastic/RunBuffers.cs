using Microsoft.ML.OnnxRuntime;

namespace MaestroDeploy.Runtime.Elastic;

/// <summary>The inputs and outputs of one run at a time, in place: every variant of an <see cref="ElasticSession"/> reads and writes here.</summary>
/// <remarks>Made by a session and good for that one. Write the inputs, run, read the outputs; use as many as there are runs at once.</remarks>
public sealed class RunBuffers : IDisposable
{
    readonly ElasticSession _owner;
    readonly Dictionary<string, Array> _arrays;
    readonly bool _ownsValues;
    int _inUse;
    bool _disposed;

    internal RunBuffers(
        ElasticSession owner, int index, OrtValue[] inputs, OrtValue[] outputs, Dictionary<string, Array> arrays, bool ownsValues) =>
        (_owner, Index, InputValues, OutputValues, _arrays, _ownsValues) = (owner, index, inputs, outputs, arrays, ownsValues);

    internal int Index { get; }

    internal OrtValue[] InputValues { get; }

    internal OrtValue[] OutputValues { get; }

    /// <summary>The numbers of an input, to be written before a run, the last axis running fastest.</summary>
    /// <typeparam name="T">The input's type: <c>float</c> for <c>float32</c>, <c>long</c> for <c>int64</c>, <c>Float16</c> for <c>float16</c>, and so on.</typeparam>
    /// <param name="name">The name that the graph gives it.</param>
    /// <exception cref="ArgumentException">There is none of that name and type, or the buffers are the caller's own tensors.</exception>
    public Span<T> Input<T>(string name) => Numbers<T>(name);

    /// <summary>The numbers of an output of <c>float32</c>, to be read after a run, the last axis running fastest.</summary>
    /// <inheritdoc cref="Output{T}"/>
    public ReadOnlySpan<float> Output(string name) => Numbers<float>(name);

    /// <summary>The numbers of an output, to be read after a run, the last axis running fastest.</summary>
    /// <typeparam name="T">The output's type, as of <see cref="Input{T}"/>.</typeparam>
    /// <param name="name">The name that the graph gives it.</param>
    /// <exception cref="ArgumentException">There is none of that name and type, or the buffers are the caller's own tensors.</exception>
    public ReadOnlySpan<T> Output<T>(string name) => Numbers<T>(name);

    /// <summary>Unbinds the tensors from every variant, after the run that uses them.</summary>
    public void Dispose()
    {
        var wait = new SpinWait();
        while (Interlocked.CompareExchange(ref _inUse, 1, 0) != 0)
        {
            if (_disposed)
            {
                return; // they stay in use for good
            }

            wait.SpinOnce();
        }

        _disposed = true;
        _owner.Forget(this);
        if (_ownsValues)
        {
            Array.ForEach(InputValues, value => value.Dispose());
            Array.ForEach(OutputValues, value => value.Dispose());
        }
    }

    /// <summary>Claims the buffers for one run.</summary>
    /// <exception cref="InvalidOperationException">Another run uses them.</exception>
    /// <exception cref="ArgumentException">They belong to another session.</exception>
    internal void Enter(ElasticSession session)
    {
        if (session != _owner)
        {
            throw new ArgumentException("These buffers were made by another session; make buffers with the session that runs them.");
        }

        if (Interlocked.CompareExchange(ref _inUse, 1, 0) != 0)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            throw new InvalidOperationException("These buffers are in use by another run; make some for each run at once.");
        }
    }

    internal void Exit() => Volatile.Write(ref _inUse, 0);

    T[] Numbers<T>(string name) => _arrays.TryGetValue(name, out var array) && array is T[] numbers
        ? numbers
        : throw new ArgumentException($"These buffers hold no '{name}' of {typeof(T).Name}; they hold "
            + $"{string.Join(", ", _arrays.Select(pair => $"{pair.Key} of {pair.Value.GetType().GetElementType()!.Name}").DefaultIfEmpty("the caller's own tensors"))}.", nameof(name));
}
