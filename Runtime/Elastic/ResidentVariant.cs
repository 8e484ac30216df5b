using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime.Elastic;

/// <summary>One loaded graph of a family and the runs that are in it: it goes only after the last of them.</summary>
sealed class ResidentVariant : IDisposable
{
    readonly ModelSession _session;
    readonly Lock _binding = new();
    readonly ManualResetEventSlim _drained = new(), _answered = new();
    Bound?[] _bound = []; // by the buffers' index; an element is used by whoever holds those buffers
    int _users = 1;          // the owner, and each run

    public ResidentVariant(Variant variant, int rung, ModelSession session, (int[][] Inputs, int[][] Outputs) shapes) =>
        (Variant, Rung, _session, Shapes) = (variant, rung, session, shapes);

    public Variant Variant { get; }

    /// <summary>Its place on the ladder.</summary>
    public int Rung { get; }

    /// <summary>The shapes in which it runs.</summary>
    public (int[][] Inputs, int[][] Outputs) Shapes { get; }

    /// <summary>Begins a run, unless the variant is on its way out.</summary>
    public bool TryEnter()
    {
        for (var users = Volatile.Read(ref _users); users > 0;)
        {
            var before = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (before == users)
            {
                return true;
            }

            users = before;
        }

        return false;
    }

    /// <summary>Ends what <see cref="TryEnter"/> began.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            _drained.Set();
        }
    }

    /// <summary>One run; the caller has entered and holds the buffers.</summary>
    public void Run(RunBuffers buffers)
    {
        var bound = Volatile.Read(ref _bound);
        // An index is given again after its buffers are gone, so the buffers themselves are compared.
        var known = buffers.Index < bound.Length && bound[buffers.Index] is { } found && found.Buffers == buffers ? found : Bind(buffers);
        known.Run.Run();
        if (!_answered.IsSet)
        {
            _answered.Set();
        }
    }

    /// <summary>Begins to wait for an answer anew: it takes over from another variant.</summary>
    public void TakeOver() => _answered.Reset();

    /// <summary>Waits for the first run since then to be answered, but not for long.</summary>
    public void AwaitAnswer(TimeSpan longest) => _answered.Wait(longest);

    /// <summary>Unbinds buffers that will not be used again.</summary>
    public void Forget(int index)
    {
        lock (_binding)
        {
            if (index < _bound.Length)
            {
                _bound[index]?.Run.Dispose();
                _bound[index] = null;
            }
        }
    }

    /// <summary>Lets nobody in any more, waits for the runs inside, and unloads the graph.</summary>
    public void Dispose()
    {
        Leave();
        _drained.Wait();
        Array.ForEach(_bound, bound => bound?.Run.Dispose());
        _session.Dispose();
        _drained.Dispose();
        _answered.Dispose();
    }

    Bound Bind(RunBuffers buffers)
    {
        lock (_binding)
        {
            if (buffers.Index >= _bound.Length)
            {
                var larger = new Bound?[Math.Max(4, 2 * (buffers.Index + 1))];
                _bound.CopyTo(larger, 0);
                Volatile.Write(ref _bound, larger);
            }

            _bound[buffers.Index]?.Run.Dispose();
            return _bound[buffers.Index] = new Bound(buffers, new BoundRun(_session, buffers.InputValues, buffers.OutputValues));
        }
    }

    sealed record Bound(RunBuffers Buffers, BoundRun Run);
}
