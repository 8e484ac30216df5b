using MaestroDeploy.Runtime.Elastic;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MaestroDeploy.Hosting;

/// <summary>Healthy while the profile holds here, the device is the one asked for, and the limit is kept; degraded otherwise, with the reasons.</summary>
/// <param name="services">Where the session is.</param>
/// <param name="model">The model's name.</param>
sealed class ElasticHealthCheck(IServiceProvider services, string model) : IHealthCheck
{
    /// <summary>What is not as it should be, a sentence each.</summary>
    public static IEnumerable<string> Concerns(ElasticSession session)
    {
        string?[] concerns =
        [
            session.Selection.Fits ? null : session.Selection.Reason,
            session.StaleBecause is { } stale ? $"The profile is stale. {stale}" : null,
            session.FellBackBecause is { } reason ? $"It runs on cpu: {reason}" : null,
            session.MissesLimit ? $"The last window of runs missed the limit on '{session.Active.Id}'." : null,
            session.Problem,
        ];
        return concerns.OfType<string>();
    }

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var session = services.GetRequiredKeyedService<ElasticSession>(model);
        var concerns = Concerns(session).ToArray();
        var data = new Dictionary<string, object> { ["variant"] = session.Active.Id, ["selected"] = session.Selection.Variant.Id };
        return Task.FromResult(concerns.Length == 0
            ? HealthCheckResult.Healthy($"'{session.Active.Id}' keeps what was asked.", data)
            : HealthCheckResult.Degraded(string.Join(' ', concerns), data: data));
    }
}
