using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime;

/// <summary>Which variant to run, and why. Missing a limit is an answer here, not an exception.</summary>
/// <param name="Variant">The chosen one.</param>
/// <param name="Latency">What it took on this device.</param>
/// <param name="Fits">Whether it keeps all that was asked for: latency, accuracy, size and memory.</param>
/// <param name="Reason">Why this one, in one sentence with the numbers.</param>
public sealed record Selection(Variant Variant, VariantLatency Latency, bool Fits, string Reason);
