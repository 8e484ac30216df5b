using System.Diagnostics;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Elastic;

namespace MaestroDeploy.Benchmarks.Runtime;

/// <summary>Another process takes a core: the share of requests within the limit, elastic and on the fixed largest variant, in turns.</summary>
static class Contention
{
    const int Blocks = 24, Requests = 400;

    public static void Run(string[] args)
    {
        if (args is ["busy"])
        {
            Busy();
            return;
        }

        var family = ServedFamily.Large();
        var settings = new SessionSettings(); // every core, so that the other process is felt
        var profile = new LatencyMeter().Measure(family, settings, new MeasureOptions());
        // What the second largest keeps when alone, and not by much: the load then decides.
        var (largest, second) = (profile.Variants[0], profile.Variants[1]);
        var level = new ServiceLevel { MaxLatency = TimeSpan.FromMicroseconds(1.1 * second.Steady.P90UpperUs!.Value) };
        Console.WriteLine($"limit {level.MaxLatency.Value.TotalMicroseconds:0} µs at p90, a tenth above {second.Id}'s bound; {largest.Id} has {largest.Steady.P90Us:0} µs; "
            + $"{settings.Threads} threads, {Blocks} blocks of {Requests} requests each, in turns");
        Tell("alone", family, profile, level, settings);
        using var busy = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["runtime-contention", "busy"]) { RedirectStandardInput = true })!;
        try
        {
            Tell("beside a busy process", family, profile, level, settings);
        }
        finally
        {
            busy.StandardInput.Close();
            busy.WaitForExit();
        }
    }

    static void Tell(string when, Family family, LatencyProfile profile, ServiceLevel level, SessionSettings settings)
    {
        using var elastic = new ElasticSession(family, profile, level, new ElasticOptions { Settings = settings });
        using var @fixed = new ElasticSession(family, profile, options: new ElasticOptions { Settings = settings, Standbys = 0 });
        var limitMs = level.MaxLatency!.Value.TotalMilliseconds;
        var within = new int[2];
        var answered = new Dictionary<string, int>();
        using var first = elastic.CreateBuffers();
        using var second = @fixed.CreateBuffers();
        for (var block = 0; block < Blocks; block++)
        {
            for (var i = 0; i < Requests; i++)
            {
                within[0] += Milliseconds(() => answered[elastic.Active.Id] = answered.GetValueOrDefault(elastic.Run(first).Id) + 1) <= limitMs ? 1 : 0;
            }

            for (var i = 0; i < Requests; i++)
            {
                within[1] += Milliseconds(() => @fixed.Run(second)) <= limitMs ? 1 : 0;
            }
        }

        var all = (double)(Blocks * Requests);
        Console.WriteLine($"  {when}: within the limit {within[0] / all:P1} elastic, {within[1] / all:P1} fixed on {@fixed.Active.Id}; "
            + $"switches {elastic.Log.Entries.Count(entry => entry.Decision != GovernorDecision.Stay)}, answered by {string.Join(", ", answered.Select(pair => $"{pair.Key} {pair.Value / all:P0}"))}");
    }

    // Until the parent closes our input, or is gone.
    static void Busy()
    {
        var end = Task.Run(() => Console.In.ReadToEnd());
        while (!end.IsCompleted)
        {
        }
    }

    static double Milliseconds(Action action)
    {
        var start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
