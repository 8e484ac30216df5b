using System.Globalization;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter.Report;

/// <summary>A family as one device measured it: one series of the picture.</summary>
/// <param name="Path">Where the family is, as the user named it.</param>
/// <param name="Manifest">What the family says.</param>
/// <param name="Profile">What the device measured; null when nothing did: the family is then in the tables alone.</param>
public sealed record SweepSeries(string Path, FamilyManifest Manifest, LatencyProfile? Profile)
{
    /// <summary>The dense baseline and the variants, largest MACs first.</summary>
    internal IReadOnlyList<Variant> All { get; } = [Manifest.Dense, .. Manifest.Variants];

    /// <summary>Where and how it was measured: latencies of two series are compared where this is the same.</summary>
    internal string Conditions => Profile is { Device: var device, Measurement: var how }
        ? $"{device.Cpu}, {device.Gpu}, {device.Cores}, {how.Provider}, {how.Threads}, {how.Batch}, {how.OpenAxis}"
        : "";

    /// <summary>How the numbers are written for programs.</summary>
    internal SweepFamilyReport ToRecord()
    {
        var report = FamilyReport.Of(Path, Manifest, Profile);
        return new SweepFamilyReport(report.Family, report.Dense, report.Variants, Profile);
    }

    /// <summary>What may tell it from the others, the most telling first.</summary>
    internal IEnumerable<string> Traits()
    {
        yield return Manifest.Name;
        yield return Path;
        if (Profile is not { Device: var device, Measurement: var how })
        {
            yield return "not measured";
            yield break;
        }

        yield return device.Cpu;
        yield return how.Provider;
        yield return string.Create(CultureInfo.InvariantCulture, $"{how.Threads} threads");
        yield return string.Create(CultureInfo.InvariantCulture, $"batch {how.Batch}");
        yield return how.Mode;
        yield return how.MeasuredUtc.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
    }
}
