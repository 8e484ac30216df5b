using System.Text.Json.Serialization;

namespace MaestroDeploy.Profiles;

/// <summary>What the variants of one family took on one device.</summary>
public sealed record LatencyProfile : IVersioned
{
    /// <inheritdoc/>
    [JsonIgnore]
    public static int CurrentSchema => 1;

    /// <inheritdoc/>
    public int SchemaVersion { get; } = CurrentSchema;

    /// <summary>The family's name.</summary>
    public required string Family { get; init => field = Check.Text(value); }

    /// <summary>SHA-256 of the family's manifest, which holds the hashes of all its files.</summary>
    public required string FamilySha256 { get; init => field = Check.Sha256(value); }

    /// <summary>The machine.</summary>
    public required DeviceFingerprint Device { get; init; }

    /// <summary>How it was measured.</summary>
    public required Measurement Measurement { get; init; }

    /// <summary>Median of a graph that does nothing, in microseconds: what a call costs by itself.</summary>
    public required double CallOverheadUs { get; init => field = Check.NotNegative(value); }

    /// <summary>The dense baseline; null where the device does without its files.</summary>
    public VariantLatency? Dense { get; init; }

    /// <summary>The variants in the manifest's order; at least one.</summary>
    public required IReadOnlyList<VariantLatency> Variants
    {
        get;
        init => field = Check.Distinct(Check.Inhabited(value), variant => variant.Id);
    }

    /// <summary>The latency of the variant of that id, the dense one included; null when it was not measured.</summary>
    /// <param name="id">A variant's id.</param>
    public VariantLatency? Find(string id) => Dense?.Id == id ? Dense : Variants.FirstOrDefault(variant => variant.Id == id);

    /// <summary>Why this profile says nothing about that use, as a sentence that names the mismatch; null when it does.</summary>
    /// <param name="familySha256">SHA-256 of the manifest in use.</param>
    /// <param name="device">The machine in use.</param>
    /// <param name="use">How the family is run there.</param>
    public string? StaleBecause(string familySha256, DeviceFingerprint device, RunConditions use) =>
        FamilySha256 != familySha256 ? "The family has changed since it was measured."
        : Device.DifferenceFrom(device) is { } difference ? $"It was measured with {difference}."
        : Measurement.DifferenceFrom(use);
}
