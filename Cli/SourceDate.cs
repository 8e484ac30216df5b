using System.Globalization;

namespace MaestroDeploy.Cli;

/// <summary>The time that families are dated by: that of <c>SOURCE_DATE_EPOCH</c>, in seconds since 1970, so that equal builds give equal files; else now.</summary>
/// <remarks>Source: https://reproducible-builds.org/specs/source-date-epoch/.</remarks>
sealed class SourceDate : TimeProvider
{
    const string Variable = "SOURCE_DATE_EPOCH";

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() =>
        long.TryParse(Environment.GetEnvironmentVariable(Variable), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : base.GetUtcNow();
}
