namespace MaestroDeploy.Runtime.Elastic;

/// <summary>Buffers for runs that bring none of their own, and the small numbers by which variants know all buffers.</summary>
/// <param name="create">Makes buffers when none are free.</param>
sealed class BufferPool(Func<RunBuffers> create) : IDisposable
{
    readonly Lock _gate = new();
    readonly Stack<RunBuffers> _free = new();
    readonly SortedSet<int> _freeIndices = [];
    int _indices;
    bool _disposed;

    public RunBuffers Rent()
    {
        lock (_gate)
        {
            if (_free.TryPop(out var buffers))
            {
                return buffers;
            }
        }

        return create();
    }

    public void Return(RunBuffers buffers)
    {
        lock (_gate)
        {
            if (!_disposed)
            {
                _free.Push(buffers);
                return;
            }
        }

        buffers.Dispose(); // its run was the last thing here
    }

    /// <summary>A number that no other buffers have now.</summary>
    public int TakeIndex()
    {
        lock (_gate)
        {
            if (_freeIndices.Count == 0)
            {
                return _indices++;
            }

            var free = _freeIndices.Min;
            _freeIndices.Remove(free);
            return free;
        }
    }

    public void GiveIndexBack(int index)
    {
        lock (_gate)
        {
            _freeIndices.Add(index);
        }
    }

    /// <summary>Disposes of the buffers that are free; the others go when they are returned.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            while (_free.TryPop(out var buffers))
            {
                buffers.Dispose();
            }
        }
    }
}
