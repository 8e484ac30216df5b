using MaestroDeploy.Runtime.Elastic;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace MaestroDeploy.Hosting;

/// <summary>Adds families to a .NET host.</summary>
public static class ElasticModelExtensions
{
    /// <summary>Adds the host's one family; ask for an <see cref="ElasticSession"/> to run it.</summary>
    /// <inheritdoc cref="AddElasticModel(IServiceCollection, string, Action{ElasticModelOptions})"/>
    public static IServiceCollection AddElasticModel(this IServiceCollection services, Action<ElasticModelOptions> configure) => services
        .AddElasticModel("", configure)
        .AddSingleton(provider => provider.GetRequiredKeyedService<ElasticSession>(""));

    /// <summary>Adds one of several families; ask for an <see cref="ElasticSession"/> by this key to run it.</summary>
    /// <remarks>
    /// Options are checked and the session is opened and warmed while the host starts. The health check
    /// <c>elastic-model</c> (with the key behind a hyphen, where there is one) is degraded when the profile is stale, another device stands in, or the
    /// limit is missed. Runs are counted and timed by the meter <see cref="ElasticMetrics.MeterName"/>, of a family with a key under that.
    /// </remarks>
    /// <param name="services">The host's services.</param>
    /// <param name="key">The family's name in this host.</param>
    /// <param name="configure">Sets the options; binding a configuration section is one way.</param>
    public static IServiceCollection AddElasticModel(this IServiceCollection services, string key, Action<ElasticModelOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(key);
        services.AddOptions<ElasticModelOptions>(key).Configure(configure).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ElasticModelOptions>>(new ElasticModelValidation(key));
        services.AddKeyedSingleton(key, (provider, _) => ElasticModelOpening.Open(
            provider.GetRequiredService<IOptionsMonitor<ElasticModelOptions>>().Get(key),
            key,
            provider.GetService<ILogger<ElasticSession>>() ?? NullLogger<ElasticSession>.Instance,
            provider.GetService<IHostApplicationLifetime>()?.ApplicationStopping ?? CancellationToken.None));
        services.AddSingleton<IHostedService>(provider => new WarmUpService(provider, key));
        services.AddHealthChecks().Add(new HealthCheckRegistration(
            key.Length > 0 ? $"elastic-model-{key}" : "elastic-model", provider => new ElasticHealthCheck(provider, key), HealthStatus.Unhealthy, tags: null));
        return services;
    }
}
