using System.Globalization;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter.Report;

/// <summary>Where and how the latencies came about: the device, the protocol, and what should make one doubt them.</summary>
static class ConditionsSection
{
    public static Markup Of(SweepReport report) => Markup.Lines(report.Series.Select((series, i) => Markup.Of($"""
        <article>
        <h3>{VariantTable.Swatch(i)} {report.Labels[i]}</h3>
        {(series.Profile is { } profile ? Of(profile, series.Manifest.LeavesAxesOpen) : Markup.Of($"<p>No latency of this family was measured.</p>"))}
        </article>
        """)));

    static Markup Of(LatencyProfile profile, bool leavesAxesOpen) => Markup.Of($"""
        <div class="conditions">
        <dl>{Markup.Lines(Device(profile.Device).Select(Entry))}</dl>
        <dl>{Markup.Lines(Protocol(profile, leavesAxesOpen).Select(Entry))}</dl>
        </div>
        {Doubts(profile)}
        """);

    static Markup Entry((string Term, string? Value) entry) => entry.Value is null ? Markup.None : Markup.Of($"<div><dt>{entry.Term}</dt><dd>{entry.Value}</dd></div>");

    static IEnumerable<(string Term, string? Value)> Device(DeviceFingerprint device) =>
    [
        ("processor", device.Cpu),
        ("usable cores", Text(device.Cores)),
        ("memory", Units.Bytes(device.MemoryBytes)),
        ("graphics processor", device.Gpu),
        ("system", $"{device.OperatingSystem}, {device.Architecture}"),
        ("ONNX Runtime", device.OnnxRuntime),
        ("clock governor", device.Governor),
        ("container limit", device.CgroupCpuLimit),
    ];

    static IEnumerable<(string Term, string? Value)> Protocol(LatencyProfile profile, bool leavesAxesOpen)
    {
        var how = profile.Measurement;
        int[] samples = [.. Graphs(profile).Select(graph => graph.Steady.Samples)];
        return
        [
            ("provider", how.Provider),
            ("threads", $"{Text(how.Threads)}{(how.Spinning == true ? ", spinning while idle" : "")}{(how.Prepacked == false ? "; weights mapped, not prepacked" : "")}"),
            ("batch", Text(how.Batch) + (leavesAxesOpen && how.OpenAxis is { } axis ? $", open axes {Text(axis)}" : "")),
            ("mode", how.Mode),
            ("samples a graph", samples.Min() == samples.Max() ? Text(samples[0]) : $"{Text(samples.Min())} to {Text(samples.Max())}"),
            ("order", $"{how.Order}; {Text(how.Rounds)} rounds, seed {how.Seed.ToString(CultureInfo.InvariantCulture)}"),
            ("an empty call takes", Units.Microseconds(profile.CallOverheadUs)),
            ("measured", how.MeasuredUtc.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC"),
        ];
    }

    static Markup Doubts(LatencyProfile profile)
    {
        var unstable = Names(profile, graph => graph.Steady.Unstable);
        var unsettled = Names(profile, graph => !graph.WarmUpSettled);
        var varying = unstable.Length > 0
            ? Markup.Of($"<p class=\"doubt\"><strong>Unstable:</strong> runs of {unstable} varied by more than 10 %. Something else was busy, or the clock moved; measure again, with --full.</p>")
            : Markup.Of($"<p>No graph's runs varied by more than 10 %.</p>");
        var warming = unsettled.Length > 0
            ? Markup.Of($"<p class=\"doubt\"><strong>Not settled:</strong> {unsettled} still changed when the time for warming up was over.</p>")
            : Markup.None;
        return Markup.Of($"{varying}{warming}");
    }

    static string Names(LatencyProfile profile, Func<VariantLatency, bool> chosen) => string.Join(", ", Graphs(profile).Where(chosen).Select(graph => graph.Id));

    static IEnumerable<VariantLatency> Graphs(LatencyProfile profile) => profile.Dense is { } dense ? profile.Variants.Prepend(dense) : profile.Variants;

    static string Text(int number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
