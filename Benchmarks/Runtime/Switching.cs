using System.Diagnostics;
using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Elastic;

namespace MaestroDeploy.Benchmarks.Runtime;

/// <summary>How long it takes from a switch to the first answer of the new variant: a warm neighbour, and a session opened for it.</summary>
static class Switching
{
    const int Switches = 60;

    public static void Run(string[] args)
    {
        var family = ServedFamily.Large();
        var settings = new SessionSettings();
        using var session = new ElasticSession(family, ServedFamily.Profile(family, settings), options: new ElasticOptions { Settings = settings });
        using var buffers = session.CreateBuffers();
        string[] ladder = [.. session.Log.Ladder.Select(rung => rung.Variant)];
        var random = new Random(1);
        var at = 0;
        List<double> warm = [], steady = [], settled = [], cold = [];
        for (var i = 0; i < Switches; i++)
        {
            var next = at == 0 ? 1 : at == ladder.Length - 1 ? at - 1 : at + (2 * random.Next(2)) - 1;
            warm.Add(Milliseconds(() =>
            {
                session.SwitchTo(ladder[next]);
                session.Run(buffers);
            }));
            settled.Add(Milliseconds(() => SpinWait.SpinUntil(() => !session.Settling)));
            at = next;
            steady.Add(Milliseconds(() => session.Run(buffers)));
            cold.Add(Milliseconds(() =>
            {
                using var opened = new ModelSession(family.PathOf(family.Manifest.Find(ladder[next])!), settings);
                opened.Run(new float[opened.InputShape(1).Aggregate(1, (product, size) => product * size)], opened.InputShape(1));
            }));
        }

        Console.WriteLine($"{Switches} switches between neighbours of {string.Join(", ", ladder)}, {Size(family)} MB of weights, {settings.Threads} threads");
        Tell("to the first answer, warm neighbour", warm);
        Tell("a run afterwards", steady);
        Tell("until the new neighbours are loaded", settled);
        Tell("to the first answer, session opened for it", cold);
    }

    static double Milliseconds(Action action)
    {
        var start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    static long Size(Family family) => family.Manifest.Files.First(file => file.File == "weights.bin").Bytes / 1_000_000;

    static void Tell(string what, List<double> times) =>
        Console.WriteLine($"  {what,-44} median {InTurns.Median(times):0.00} ms, 9 of 10 within {times.Order().ElementAt(9 * times.Count / 10):0.00} ms, largest {times.Max():0.00} ms");
}
