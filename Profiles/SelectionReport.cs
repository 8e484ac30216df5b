namespace MaestroDeploy.Profiles;

/// <summary>Which variant was chosen, and why.</summary>
/// <param name="Variant">The chosen one.</param>
/// <param name="Fits">Whether it keeps everything that was asked for.</param>
/// <param name="Reason">Why this one, in one sentence with the numbers.</param>
/// <param name="Percentile">The percentile that the limit holds for: 50, 90 or 95.</param>
/// <param name="MaxLatencyUs">The limit in microseconds; absent when none was set.</param>
/// <param name="MinAccuracy">The accuracy that was asked for, in 0..1; absent when none was.</param>
/// <param name="MaxBytes">The most bytes of graph and weights; absent when no limit was set.</param>
/// <param name="MaxMemoryBytes">The most bytes of private memory; absent when no limit was set.</param>
public sealed record SelectionReport(
    VariantReport Variant, bool Fits, string Reason, int Percentile, double? MaxLatencyUs = null, double? MinAccuracy = null,
    long? MaxBytes = null, long? MaxMemoryBytes = null);
