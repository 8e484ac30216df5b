using System.Runtime.InteropServices;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime;

/// <summary>Measures how fast the variants of a family run here.</summary>
/// <remarks>
/// Load, first run and steady runs are kept apart. All graphs are loaded together and take turns in shuffled rounds,
/// so that whatever else the machine does meets them alike; an identity graph takes part and shows what a call costs.
/// </remarks>
/// <param name="clock">The clock; null for the system's.</param>
public sealed class LatencyMeter(TimeProvider? clock = null)
{
    // Loading is short beside the rest, and sampling about as long as warming up.
    const double LoadedAt = 0.05;
    const double WarmAt = 0.5;

    readonly TimeProvider _clock = clock ?? TimeProvider.System;

    /// <summary>Measures every variant, and the dense baseline where its files are here.</summary>
    /// <param name="family">The family.</param>
    /// <param name="settings">How its graphs are run.</param>
    /// <param name="options">How long, and at what batch.</param>
    /// <param name="progress">Told how far it is, between runs.</param>
    /// <param name="cancellation">Stops it between two runs.</param>
    /// <exception cref="DeviceException">The device is not to be had.</exception>
    /// <exception cref="ModelException">A graph cannot be loaded or run, or does not take that batch.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public LatencyProfile Measure(
        Family family, SessionSettings settings, MeasureOptions options, IProgress<MeasureProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        var protocol = MeasureProtocol.Of(options.Mode, _clock);
        var measuredUtc = _clock.GetUtcNow();
        var contenders = new List<Contender>();
        try
        {
            Load(contenders, protocol, family, settings, options, progress, cancellation);
            WarmUp(contenders, protocol, progress, cancellation);
            var (samples, rounds) = protocol.Sample(
                [.. contenders.Select(contender => (Action)contender.Prepared.Run)],
                options.Seed,
                share => progress?.Report(new MeasureProgress("measure", WarmAt + ((1 - WarmAt) * share))),
                cancellation);
            var latencies = contenders.Zip(samples, (contender, microseconds) => contender.Latency(microseconds)).ToArray();
            return new LatencyProfile
            {
                Family = family.Manifest.Name,
                FamilySha256 = family.Sha256,
                Device = DeviceProbe.Read(),
                Measurement = Describe(settings, options, rounds, measuredUtc),
                CallOverheadUs = latencies[0].Steady.P50Us,
                Dense = family.HasDense ? latencies[^1] : null,
                Variants = [.. latencies.Skip(1).Take(family.Manifest.Variants.Count)],
            };
        }
        finally
        {
            contenders.ForEach(contender => contender.Dispose());
        }
    }

    // The identity graph first, then the variants, then the dense baseline.
    static void Load(
        List<Contender> contenders, MeasureProtocol protocol, Family family, SessionSettings settings, MeasureOptions options,
        IProgress<MeasureProgress>? progress, CancellationToken cancellation)
    {
        contenders.Add(new Contender("identity", protocol, () => ModelSession.Identity(settings), options with { Batch = 1 }));
        var variants = family.HasDense ? family.Manifest.Variants.Append(family.Manifest.Dense) : family.Manifest.Variants;
        foreach (var variant in variants)
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(new MeasureProgress($"load {variant.Id}", LoadedAt * contenders.Count / (family.Manifest.Variants.Count + 2)));
            contenders.Add(new Contender(
                variant.Id, protocol, () => new ModelSession(family.PathOf(variant), settings), options));
        }
    }

    static void WarmUp(
        List<Contender> contenders, MeasureProtocol protocol, IProgress<MeasureProgress>? progress, CancellationToken cancellation)
    {
        foreach (var (i, contender) in contenders.Index())
        {
            progress?.Report(new MeasureProgress($"warm up {contender.Id}", LoadedAt + ((WarmAt - LoadedAt) * i / contenders.Count)));
            contender.WarmUp = protocol.WarmUp(contender.Prepared.Run, cancellation);
        }
    }

    static Measurement Describe(SessionSettings settings, MeasureOptions options, int rounds, DateTimeOffset measuredUtc) => new()
    {
        Mode = options.Mode == MeasureMode.Full ? "full" : "quick",
        Provider = settings.Device.ToString(),
        Threads = settings.Threads,
        Spinning = settings.Spinning,
        Prepacked = settings.Prepack,
        Batch = options.Batch,
        OpenAxis = options.OpenAxis,
        Order = MeasureProtocol.Order,
        Rounds = rounds,
        Seed = options.Seed,
        MeasuredUtc = measuredUtc,
    };

    /// <summary>One graph that takes part, from its load on.</summary>
    sealed class Contender : IDisposable
    {
        readonly ModelSession _session;
        readonly double _loadUs;
        readonly double _firstRunUs;

        public Contender(string id, MeasureProtocol protocol, Func<ModelSession> load, MeasureOptions options)
        {
            Id = id;
            ModelSession? session = null;
            _loadUs = protocol.Time(() => session = load());
            _session = session!;
            try
            {
                Prepared = new PreparedRun(_session, options.Batch, options.OpenAxis, options.Seed);
                _firstRunUs = protocol.Time(Prepared.Run);
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public string Id { get; }

        public PreparedRun Prepared { get; }

        public (int Runs, bool Settled) WarmUp { get; set; }

        public VariantLatency Latency(List<double> microseconds) => new(
            Id, _loadUs / 1000, _firstRunUs, WarmUp.Runs, WarmUp.Settled,
            LatencyStatistics.Of(CollectionsMarshal.AsSpan(microseconds)));

        public void Dispose()
        {
            Prepared?.Dispose();
            _session.Dispose();
        }
    }
}
