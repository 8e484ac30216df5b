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
}
