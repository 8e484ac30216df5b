using System.Runtime.InteropServices;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime;

/// <summary>One graph that takes part in a measurement, from its load on.</summary>
sealed class Contender : IDisposable
{
    readonly ModelSession _session;
    readonly double _loadUs;
    readonly double _firstRunUs;
    readonly long? _privateBytes;
    (int Runs, bool Settled) _warmUp;

    /// <summary>Loads the graph and runs it once, each timed.</summary>
    public Contender(string id, MeasureProtocol protocol, Func<ModelSession> load, MeasureOptions options)
    {
        Id = id;
        var before = ProcessMemory.PrivateBytes();
        ModelSession? session = null;
        _loadUs = protocol.Time(() => session = load());
        _session = session!;
        try
        {
            Prepared = new PreparedRun(_session, options.Batch, options.OpenAxis, options.Seed);
            _firstRunUs = protocol.Time(Prepared.Run);
            _privateBytes = ProcessMemory.PrivateBytes() - before is { } more ? Math.Max(0, more) : null; // what others freed meanwhile is no gain of ours
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Id { get; }

    public PreparedRun Prepared { get; }

    public void WarmUp(MeasureProtocol protocol, CancellationToken cancellation) =>
        _warmUp = protocol.WarmUp(Prepared.Run, cancellation);

    public VariantLatency Latency(List<double> microseconds) => new(
        Id, _loadUs / 1000, _firstRunUs, _warmUp.Runs, _warmUp.Settled,
        LatencyStatistics.Of(CollectionsMarshal.AsSpan(microseconds)))
    {
        PrivateBytes = _privateBytes,
    };

    public void Dispose()
    {
        Prepared?.Dispose();
        _session.Dispose();
    }
}
