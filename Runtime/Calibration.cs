using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime;

/// <summary>One measurement of as few variants as a choice needs, on a device that has not been measured.</summary>
/// <remarks>
/// Variants are probed one at a time, as <see cref="CalibrationSearch"/> asks. What was probed then takes turns, as in any
/// other measurement, and only those samples count: they must confirm the choice, or the search goes on with them. Where
/// MACs turn out not to order the latencies, every variant is measured.
/// </remarks>
sealed class Calibration(
    Family family, SessionSettings settings, ServiceLevel level, MeasureOptions options, TimeProvider clock,
    IProgress<MeasureProgress>? progress, CancellationToken cancellation) : IDisposable
{
    readonly MeasureProtocol _probing = MeasureProtocol.Probe(clock);
    readonly MeasureProtocol _deciding = MeasureProtocol.Decide(clock);
    readonly List<Contender> _contenders = []; // the identity graph first

    /// <summary>Measures until the choice is certain.</summary>
    /// <returns>The latencies, the identity graph's first, then in the manifest's order; and the rounds behind them.</returns>
    public (IReadOnlyList<VariantLatency> Latencies, int Rounds) Run()
    {
        Add("identity", () => ModelSession.Identity(settings), options with { Batch = 1 });
        var latencies = new List<VariantLatency>();
        while (true)
        {
            while (Search(latencies).Next() is { } next)
            {
                latencies.Add(Probe(next));
            }

            if (!Search(latencies).CurveHolds)
            {
                Unmeasured().ForEach(variant => Add(variant));
            }

            var (final, rounds) = TakeTurns();
            latencies = [.. final.Skip(1)];
            if (Search(latencies) is { CurveHolds: true } search ? search.Next() is null : Unmeasured().Count == 0)
            {
                var order = family.Manifest.Variants.Index().ToDictionary(variant => variant.Item.Id, variant => variant.Index);
                return ([final[0], .. latencies.OrderBy(latency => order[latency.Id])], rounds);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _contenders.ForEach(contender => contender.Dispose());

    CalibrationSearch Search(List<VariantLatency> measured) => new(family.Manifest, level, measured);

    List<Variant> Unmeasured() => [.. family.Manifest.Variants.Where(variant => _contenders.TrueForAll(contender => contender.Id != variant.Id))];

    VariantLatency Probe(Variant variant)
    {
        var contender = Add(variant);
        var (samples, _) = _probing.Sample([contender.Prepared.Run], options.Seed, _ => { }, cancellation);
        return contender.Latency(samples[0]);
    }

    (VariantLatency[] Latencies, int Rounds) TakeTurns()
    {
        progress?.Report(new MeasureProgress("confirm", 0.8));
        var (samples, rounds) = _deciding.Sample(
            [.. _contenders.Select(contender => (Action)contender.Prepared.Run)], options.Seed, _ => { }, cancellation);
        return ([.. _contenders.Zip(samples, (contender, microseconds) => contender.Latency(microseconds))], rounds);
    }

    Contender Add(Variant variant) => Add(variant.Id, () => new ModelSession(family.PathOf(variant), settings), options);

    Contender Add(string id, Func<ModelSession> load, MeasureOptions how)
    {
        cancellation.ThrowIfCancellationRequested();
        progress?.Report(new MeasureProgress($"probe {id}", 0.8 * _contenders.Count / (family.Manifest.Variants.Count + 1)));
        var contender = new Contender(id, _probing, load, how);
        _contenders.Add(contender);
        contender.WarmUp(_probing, cancellation);
        return contender;
    }
}
