using System.Diagnostics.Metrics;
using MaestroDeploy.Hosting;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime.Elastic;
using MaestroDeploy.Tests.Runtime;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace MaestroDeploy.Tests.Hosting;

[TestClass]
public sealed class ElasticModelTests
{
    [TestMethod]
    public async Task AddElasticModel_AHostThatStarts_HasAWarmSessionAndTellsItsHealth()
    {
        using var tiny = new TinyFamily();
        var profile = System.IO.Path.Combine(tiny.Outside, "profile.json");
        ProfilesJson.Write(profile, tiny.Profile(3000, 1000));
        using var host = Host(services => services.AddElasticModel(options =>
        {
            (options.Folder, options.Profile, options.MaxLatency, options.Threads) = (tiny.Path, profile, TimeSpan.FromMilliseconds(2), 1);
        }));
        await host.StartAsync();
        var output = new float[2];

        var answered = host.Services.GetRequiredService<ElasticSession>().Run([1, 2, 3], output);
        var health = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();

        Assert.AreEqual("small", answered.Id);
        Assert.AreEqual(12, output[0]);
        var entry = health.Entries["elastic-model"];
        Assert.AreEqual(HealthStatus.Degraded, entry.Status);
        Assert.Contains("The profile is stale. It was measured with", entry.Description!); // on the device of the samples
        Assert.AreEqual("small", entry.Data["variant"]);
        await host.StopAsync();
    }

    [TestMethod]
    public async Task AddElasticModel_TwoFamilies_AreToldApartByTheirKeysAndMeasuredHereAreHealthy()
    {
        using var tiny = new TinyFamily();
        using var host = Host(services => services
            .AddElasticModel("first", options => (options.Folder, options.Threads) = (tiny.Path, 1))
            .AddElasticModel("second", options => (options.Folder, options.Threads, options.Batch) = (tiny.Path, 1, 2)));
        await host.StartAsync();

        var health = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();

        Assert.AreEqual(1, host.Services.GetRequiredKeyedService<ElasticSession>("first").Inputs[0].Shape[0]);
        Assert.AreEqual(2, host.Services.GetRequiredKeyedService<ElasticSession>("second").Inputs[0].Shape[0]);
        Assert.AreEqual("elastic-model-first Healthy; elastic-model-second Healthy", string.Join("; ", health.Entries.Select(entry => $"{entry.Key} {entry.Value.Status}")));
        await host.StopAsync();
    }

    [TestMethod]
    [DataRow("nowhere", "cpu", 90, "has no family.json")]
    [DataRow("", "cpu", 90, "Folder")]
    [DataRow(null, "", 90, "Device is empty")]
    [DataRow(null, "gpu", 90, "cpu or cuda:N")]
    [DataRow(null, "cpu", 99, "50, 90 or 95")]
    public async Task AddElasticModel_OptionsThatCannotWork_StopTheStart(string? folder, string device, int percentile, string named)
    {
        using var tiny = new TinyFamily();
        using var host = Host(services => services.AddElasticModel(options =>
            (options.Folder, options.Device, options.Percentile) = (folder ?? tiny.Path, device, percentile)));

        var refused = await Assert.ThrowsExactlyAsync<OptionsValidationException>(() => host.StartAsync());

        Assert.Contains(named, refused.Message);
    }

    /// <summary>Configuration reads a number alone as days.</summary>
    [TestMethod]
    public async Task AddElasticModel_ALatencyOfDays_StopsTheStart()
    {
        using var tiny = new TinyFamily();
        using var host = Host(services => services.AddElasticModel(options => (options.Folder, options.MaxLatency) = (tiny.Path, TimeSpan.FromDays(5))));

        var refused = await Assert.ThrowsExactlyAsync<OptionsValidationException>(() => host.StartAsync());

        Assert.Contains("00:00:00.005", refused.Message);
    }

    /// <summary>Two editions of one family have one name in their manifests.</summary>
    [TestMethod]
    public async Task AddElasticModel_TwoOfOneName_AreMeteredByTheirKeys()
    {
        using var tiny = new TinyFamily();
        var profile = System.IO.Path.Combine(tiny.Outside, "profile.json");
        ProfilesJson.Write(profile, tiny.Profile(3000, 1000));
        using var host = Host(services => services
            .AddElasticModel("metered-first", options => (options.Folder, options.Profile, options.Threads) = (tiny.Path, profile, 1))
            .AddElasticModel("metered-second", options => (options.Folder, options.Profile, options.Threads) = (tiny.Path, profile, 1)));
        await host.StartAsync();
        var told = new List<string?>();
        using var listener = Listening(told, tag: 0);

        host.Services.GetRequiredKeyedService<ElasticSession>("metered-first").Run([1, 2, 3], new float[2]);
        host.Services.GetRequiredKeyedService<ElasticSession>("metered-second").Run([1, 2, 3], new float[2]);

        CollectionAssert.IsSubsetOf(new[] { "metered-first", "metered-second" }, told);
        await host.StopAsync();
    }

    [TestMethod]
    public async Task AddElasticModel_PackedFolder_IsFilledOrRefusedWithoutPrepacking()
    {
        using var tiny = new TinyFamily();
        var packed = System.IO.Path.Combine(tiny.Outside, "packed");
        using var host = Host(services => services.AddElasticModel(options => (options.Folder, options.Threads, options.PackedFolder) = (tiny.Path, 1, packed)));
        using var wrong = Host(services => services.AddElasticModel(options => (options.Folder, options.PackedFolder, options.Prepack) = (tiny.Path, packed, false)));

        await host.StartAsync();
        var refused = await Assert.ThrowsExactlyAsync<OptionsValidationException>(() => wrong.StartAsync());

        Assert.IsNotEmpty(Directory.GetFiles(packed, "graph.onnx", SearchOption.AllDirectories));
        Assert.Contains("PackedFolder keeps prepacked weights", refused.Message);
        await host.StopAsync();
    }

    [TestMethod]
    public void Run_SomeoneListens_TellsDurationByVariant()
    {
        using var tiny = new TinyFamily("listened-to");
        using var session = new ElasticSession(tiny.Open(), tiny.Profile(1000));
        var told = new List<string?>();
        using var listener = Listening(told, tag: 1);

        session.Run([1, 2, 3], new float[2]);

        CollectionAssert.Contains(told, "listened-to");
    }

    static MeterListener Listening(List<string?> told, int tag)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == ElasticMetrics.MeterName)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) =>
        {
            lock (told)
            {
                told.Add((string?)tags[tag].Value);
            }
        });
        listener.Start();
        return listener;
    }

    static IHost Host(Action<IServiceCollection> add)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        add(builder.Services);
        return builder.Build();
    }
}
