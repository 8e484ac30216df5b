namespace MaestroDeploy.Profiles;

/// <summary>A whole family as the command line prints it.</summary>
/// <param name="Family">Where the family is.</param>
/// <param name="Dense">The baseline.</param>
/// <param name="Variants">The variants, largest MACs first.</param>
public sealed record FamilyReport(string Family, VariantReport Dense, IReadOnlyList<VariantReport> Variants)
{
    /// <summary>Lays a family and a device's measurements side by side.</summary>
    /// <param name="path">Where the family is.</param>
    /// <param name="manifest">What it says.</param>
    /// <param name="profile">What this device measured, if it did.</param>
    public static FamilyReport Of(string path, FamilyManifest manifest, LatencyProfile? profile)
    {
        return new FamilyReport(path, Report(manifest.Dense), [.. manifest.Variants.Select(Report)]);

        VariantReport Report(Variant variant) => VariantReport.Of(variant, profile?.Find(variant.Id));
    }

    /// <summary>
    /// The dense graph beside the smallest variant, on one line: bytes, multiply-accumulates and, where measured, the
    /// median latency; and the accuracy, or how far outputs lie apart.
    /// </summary>
    public string BeforeAndAfter()
    {
        var smallest = Variants[^1];
        var time = Dense.P50Us is { } before && smallest.P50Us is { } now
            ? $", {Units.Microseconds(before)} → {Units.Microseconds(now)}"
            : "";
        return $"{Dense.Id} → {smallest.Id}: {Units.Bytes(Dense.Bytes)} → {Units.Bytes(smallest.Bytes)}, "
            + $"{Units.Count(Dense.Macs)} → {Units.Count(smallest.Macs)} MACs{time}, {Quality(Dense, smallest)}";
    }

    static string Quality(VariantReport before, VariantReport now) => before.Accuracy is null && now.Distance is not null
        ? $"output error {Units.Error(now.Distance.RelativeError)}"
        : $"accuracy {Units.Share(before.Accuracy)} → {Units.Share(now.Accuracy)}";
}
