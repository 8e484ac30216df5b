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
            return Profile(
                family, options.Described(options.Mode == MeasureMode.Full ? Measurement.Full : Measurement.Quick, settings, MeasureProtocol.Order, rounds, measuredUtc),
                latencies[0], latencies[1..(family.Manifest.Variants.Count + 1)], family.HasDense ? latencies[^1] : null);
        }
        finally
        {
            contenders.ForEach(contender => contender.Dispose());
        }
    }

    /// <summary>Measures as few variants as it takes to know which one a service level gets: some seconds where <see cref="Measure"/> takes more.</summary>
    /// <remarks>
    /// The profile holds what was measured, and <see cref="VariantSelector"/> chooses from it; for another service level it
    /// may lack the right variant. It relies on more MACs never taking less time, and measures every variant where that fails.
    /// </remarks>
    /// <param name="family">The family.</param>
    /// <param name="settings">How its graphs are run.</param>
    /// <param name="level">What is asked.</param>
    /// <param name="options">At what batch; the mode says nothing here.</param>
    /// <param name="progress">Told how far it is, between runs.</param>
    /// <param name="cancellation">Stops it between two runs.</param>
    /// <inheritdoc cref="Measure" path="/exception"/>
    public LatencyProfile Calibrate(
        Family family, SessionSettings settings, ServiceLevel level, MeasureOptions options,
        IProgress<MeasureProgress>? progress = null, CancellationToken cancellation = default)
    {
        var measuredUtc = _clock.GetUtcNow();
        using var calibration = new Calibration(family, settings, level, options, _clock, progress, cancellation);
        var (latencies, rounds) = calibration.Run();
        progress?.Report(new MeasureProgress("measured", 1));
        return Profile(family, options.Described(Measurement.Calibrated, settings, MeasureProtocol.Order, rounds, measuredUtc), latencies[0], [.. latencies.Skip(1)], dense: null);
    }

    static LatencyProfile Profile(
        Family family, Measurement measurement, VariantLatency identity, IReadOnlyList<VariantLatency> variants, VariantLatency? dense)
    {
        return new LatencyProfile
        {
            Family = family.Manifest.Name,
            FamilySha256 = family.Sha256,
            Device = DeviceProbe.Read(),
            Measurement = measurement,
            CallOverheadUs = identity.Steady.P50Us,
            Dense = dense,
            Variants = variants,
        };
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
            contender.WarmUp(protocol, cancellation);
        }
    }
}
