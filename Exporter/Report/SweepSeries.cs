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

    /// <summary>Whether its latencies may be compared with those of another: measured on the same machine, in the same way.</summary>
    internal bool ComparesWith(SweepSeries other) => Profile is { } here && other.Profile is { } there
        && here.Device.DifferenceFrom(there.Device) is null
        && here.Measurement.DifferenceFrom(there.Measurement.Use(Manifest.LeavesAxesOpen || other.Manifest.LeavesAxesOpen)) is null;

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
        yield return device.Gpu ?? "no GPU";
        yield return string.Create(CultureInfo.InvariantCulture, $"{device.Cores} cores");
        yield return device.OperatingSystem;
        yield return string.Create(CultureInfo.InvariantCulture, $"{how.Threads} threads");
        yield return string.Create(CultureInfo.InvariantCulture, $"batch {how.Batch}");
        yield return how.Spinning == false ? "sleeping threads" : "spinning threads";
        yield return how.Prepacked == false ? "mapped weights" : "prepacked weights";
        yield return $"ONNX Runtime {device.OnnxRuntime}";
        yield return how.Mode;
        yield return how.MeasuredUtc.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
    }
}
