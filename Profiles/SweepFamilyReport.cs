namespace MaestroDeploy.Profiles;

/// <summary>A family on one device as <c>sweep</c> prints it: what <see cref="FamilyReport"/> holds, and the whole profile behind it.</summary>
/// <param name="Family">Where the family is.</param>
/// <param name="Dense">The baseline.</param>
/// <param name="Variants">The variants, largest MACs first.</param>
/// <param name="Profile">The device, how it was measured and every percentile with its bound; absent when nothing was measured.</param>
public sealed record SweepFamilyReport(string Family, VariantReport Dense, IReadOnlyList<VariantReport> Variants, LatencyProfile? Profile = null);

/// <summary>Several families, or several devices, as <c>sweep</c> prints them.</summary>
/// <param name="Families">One entry for each family on each device; two or more.</param>
public sealed record SweepFamiliesReport(IReadOnlyList<SweepFamilyReport> Families);
