using System.Diagnostics;
using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Elastic;

namespace MaestroDeploy.Benchmarks.Runtime;

/// <summary>Private memory of all variants of a family resident in one session, against a session of ONNX Runtime's default kind for each; every case in a process of its own.</summary>
static class Residents
{
    static readonly string[] Ways = ["memory", "file", "mapped"];

    public static void Run(string[] args)
    {
        if (args is [var size, var part, .. var rest])
        {
            var family = size == "four" ? ServedFamily.Large() : ServedFamily.LargeOfEight();
            Console.WriteLine(part == "elastic" ? Elastic(family, active: rest[0], how: rest[1]) : Separate(family, prepack: part == "separate"));
            return;
        }

        foreach (var (name, family) in new[] { ("four", ServedFamily.Large()), ("eight", ServedFamily.LargeOfEight()) })
        {
            ServedFamily.Profile(family, new SessionSettings());
            double[] separate = Measured(name, "separate"), mapped = Measured(name, "mapped");
            Console.WriteLine($"{name} variants, {family.Manifest.Files.First(file => file.File == "weights.bin").Bytes / 1e6:0} MB of weights; private memory (RssAnon)");
            Console.WriteLine($"  a session each                   {separate[^1]:0.0} MB, growing by {string.Join(", ", Growth(separate))}");
            Console.WriteLine($"  a session each, mapped weights   {mapped[^1]:0.0} MB, growing by {string.Join(", ", Growth(mapped))}");
            Console.WriteLine("  one ElasticSession, over a session each: prepacked in memory, prepacked in a file, mapped and not prepacked");
            foreach (var variant in family.Manifest.Variants)
            {
                Measured(name, "elastic", variant.Id, "file"); // makes the files
                var cases = Ways.Select(how => (How: how, Size: Measured(name, "elastic", variant.Id, how)[0]));
                Console.WriteLine($"  ElasticSession on {variant.Id,-14} {string.Join(", ", cases.Select(one => $"{one.How} {one.Size:0.0} MB, {one.Size / separate[^1]:0.00}"))}");
            }
        }
    }

    // The limit is the active variant's own, so that the session selects it and keeps all others by.
    static string Elastic(Family family, string active, string how)
    {
        var (settings, before) = (new SessionSettings { Prepack = how != "mapped" }, PrivateMegabytes());
        var profile = ServedFamily.Profile(family, new SessionSettings());
        var level = new ServiceLevel { MaxLatency = TimeSpan.FromMicroseconds(1 + profile.Find(active)!.Steady.P90UpperUs!.Value) };
        using var session = new ElasticSession(family, profile, level, new ElasticOptions
        {
            Settings = settings,
            Standbys = 8,
            Governor = null,
            PackedFolder = how == "file" ? ServedFamily.PackedFolder(family) : null,
        });
        using var buffers = session.CreateBuffers();
        session.Run(buffers);
        return session.Active.Id == active ? $"{PrivateMegabytes() - before:R}" : "NaN"; // tied with another
    }

    static string Separate(Family family, bool prepack)
    {
        var before = PrivateMegabytes();
        List<ModelSession> sessions = [];
        List<double> sizes = [];
        foreach (var variant in family.Manifest.Variants)
        {
            var session = new ModelSession(family.PathOf(variant), new SessionSettings { Prepack = prepack });
            sessions.Add(session);
            session.Run(new float[1024], session.InputShape(1));
            sizes.Add(PrivateMegabytes() - before);
        }

        sessions.ForEach(session => session.Dispose());
        return string.Join(' ', sizes.Select(size => $"{size:R}"));
    }

    static double[] Measured(params string[] part)
    {
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["runtime-memory", .. part]) { RedirectStandardOutput = true })!;
        var answer = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return [.. answer.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(double.Parse)];
    }

    static IEnumerable<string> Growth(double[] sizes) => sizes.Zip(sizes.Prepend(0), (size, before) => $"{size - before:0.0} MB");

    /// <summary>Memory of this process that no file backs.</summary>
    static long PrivateBytes() => 1024 * long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1]);

    static double PrivateMegabytes() => PrivateBytes() / 1e6;
}
