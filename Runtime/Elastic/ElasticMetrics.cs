using System.Diagnostics.Metrics;

namespace MaestroDeploy.Runtime.Elastic;

/// <summary>What elastic sessions tell <c>System.Diagnostics.Metrics</c>; with nobody listening it costs next to nothing.</summary>
public static class ElasticMetrics
{
    /// <summary>The meter's name, to subscribe to: <c>MaestroDeploy.Runtime</c>.</summary>
    public const string MeterName = "MaestroDeploy.Runtime";

    static readonly Meter Meter = new(MeterName);

    static readonly Histogram<double> Latency = Meter.CreateHistogram<double>(
        "maestro.run.duration", "us", "Duration of one run, copies included, by family and variant.");

    static readonly Counter<long> Failures = Meter.CreateCounter<long>("maestro.run.failures", "{run}", "Runs that failed.");

    static readonly Counter<long> Switches = Meter.CreateCounter<long>("maestro.switches", "{switch}", "Changes of the active variant, by the one they led to.");

    static readonly Counter<long> Misses = Meter.CreateCounter<long>("maestro.window.misses", "{window}", "Windows of runs that missed the latency limit.");

    internal static void Ran(string family, string variant, double microseconds)
    {
        if (Latency.Enabled)
        {
            Latency.Record(microseconds, Tag("family", family), Tag("variant", variant));
        }
    }

    internal static void Failed(string family, string variant) => Failures.Add(1, Tag("family", family), Tag("variant", variant));

    internal static void Switched(string family, string variant) => Switches.Add(1, Tag("family", family), Tag("variant", variant));

    internal static void Missed(string family, string variant) => Misses.Add(1, Tag("family", family), Tag("variant", variant));

    static KeyValuePair<string, object?> Tag(string key, string value) => new(key, value);
}
