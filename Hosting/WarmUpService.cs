using MaestroDeploy.Runtime.Elastic;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace MaestroDeploy.Hosting;

/// <summary>Opens a session while the host starts, so that the first request finds it warm.</summary>
/// <param name="services">Where the session is.</param>
/// <param name="model">The model's name.</param>
sealed class WarmUpService(IServiceProvider services, string model) : IHostedService
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) =>
        Task.Run(() => services.GetRequiredKeyedService<ElasticSession>(model), cancellationToken);

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask; // the container disposes of it
}
