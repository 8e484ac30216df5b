using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Elastic;

namespace MaestroDeploy.Benchmarks.Runtime;

/// <summary>How much slower an active variant is on mapped weights that are not prepacked, and on prepacked ones mapped from a file, than on a private prepacked copy.</summary>
static class Prepacking
{
    const int Rounds = 60;

    static readonly int[] Batches = [1, 2, 4, 8, 16, 64];

    public static void Run(string[] args)
    {
        foreach (var (name, family) in new[] { ("matrix products", ServedFamily.Large()), ("convolutions", ServedFamily.Convolutions()) })
        {
            var settings = new SessionSettings { Threads = 1 };
            ServedFamily.Profile(family, settings);
            foreach (var variant in new[] { family.Manifest.Variants[0], family.Manifest.Variants[^2] })
            {
                Console.WriteLine($"{name}, {variant.Id}, 1 thread, lower quartiles: not prepacked, and prepacked in a file, over prepacked in memory");
                foreach (var batch in Batches)
                {
                    Compare(family, variant.Id, settings, batch);
                }
            }
        }
    }

    static void Compare(Family family, string variant, SessionSettings settings, int batch)
    {
        var options = new ElasticOptions { Settings = settings, Batch = batch, Standbys = 0, Governor = null };
        using var memory = Open(family, variant, options);
        using var mapped = Open(family, variant, options with { Settings = settings with { Prepack = false } });
        using var file = Open(family, variant, options with { PackedFolder = ServedFamily.PackedFolder(family) });
        ElasticSession[] sessions = [memory, mapped, file];
        RunBuffers[] buffers = [.. sessions.Select(session => session.CreateBuffers())];
        var times = InTurns.Time(Rounds, seed: 1, [.. sessions.Zip(buffers, (session, its) => (Action)(() => session.Run(its)))]);
        Array.ForEach(buffers, its => its.Dispose());
        double[] quartiles = [.. times.Select(InTurns.LowerQuartile)];
        Console.WriteLine($"  batch {batch,2}: {quartiles[1] / quartiles[0]:0.00}x, {quartiles[2] / quartiles[0]:0.00}x of {quartiles[0]:0.00} ms");
    }

    static ElasticSession Open(Family family, string variant, ElasticOptions options)
    {
        var session = new ElasticSession(family, ServedFamily.Profile(family, options.Settings with { Prepack = true }), options: options);
        session.SwitchTo(variant);
        using var buffers = session.CreateBuffers();
        session.Run(buffers);
        SpinWait.SpinUntil(() => !session.Settling);
        return session;
    }
}
