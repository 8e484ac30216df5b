namespace MaestroDeploy.Runtime.Doctor;

/// <summary>One thing that was looked at on a machine.</summary>
/// <param name="What">The thing.</param>
/// <param name="Found">What was found.</param>
/// <param name="Lacking">What to do; null where nothing is lacking.</param>
public sealed record Finding(string What, string Found, string? Lacking = null);
