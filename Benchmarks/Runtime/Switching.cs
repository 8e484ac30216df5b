using System.Diagnostics;
using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Elastic;

namespace MaestroDeploy.Benchmarks.Runtime;

/// <summary>How long it takes from a switch to the first answer of the new variant: a warm neighbour, and a session opened for it; and a run without a switch, for the machine's own noise.</summary>
/// <remarks>Each kind has its turn in a shuffled round, right after a run, as between two requests. Long ones are told apart by whether the system took the thread off its core meanwhile.</remarks>
static class Switching
{
    const int Rounds = 100;
    const double TargetMs = 5;

    public static void Run(string[] args)
    {
        var family = ServedFamily.Large();
        foreach (var threads in args.Length > 0 ? args.Select(int.Parse) : [1, 2])
        {
            var settings = new SessionSettings { Threads = threads };
            var options = new ElasticOptions { Settings = settings };
            using var @private = new Walk(family, options, seed: 1);
            using var files = new Walk(family, options with { PackedFolder = ServedFamily.PackedFolder(family) }, seed: 1);
            using var still = new Walk(family, options, seed: 1);
            using var rested = new Walk(family, options, seed: 1); // the threads of its pool sleep, as a standby's do
            Kind[] kinds =
            [
                new("a run without a switch", still, () => { }),
                new("a run after a rest, without a switch", rested, () => { }, rested: true),
                new("to a warm neighbour", @private, @private.Step),
                new("to a warm neighbour, prepacked in files", files, files.Step),
            ];
            var (random, opened) = (new Random(2), new List<double>());
            for (var round = 0; round < Rounds; round++)
            {
                random.Shuffle(kinds);
                Array.ForEach(kinds, kind => kind.Time());
                opened.Add(Milliseconds(() => Open(family, still.At, settings)));
            }

            Console.WriteLine($"{Rounds} of each kind, {family.Manifest.Files.First(file => file.File == "weights.bin").Bytes / 1_000_000} MB of weights, {threads} threads");
            foreach (var kind in kinds.OrderBy(kind => kind.Name))
            {
                Console.WriteLine($"  {kind.Name,-40} {Spread(kind.Times)}; over {TargetMs} ms: {kind.Long}, of which off the core: {kind.LongOffCore}; settled {Spread(kind.Settled)}");
            }

            Console.WriteLine($"  {"in a session opened for it",-40} {Spread(opened)}");
        }
    }

    static void Open(Family family, string variant, SessionSettings settings)
    {
        using var session = new ModelSession(family.PathOf(family.Manifest.Find(variant)!), settings);
        session.Run(new float[session.InputShape(1).Aggregate(1, (product, size) => product * size)], session.InputShape(1));
    }

    static double Milliseconds(Action action)
    {
        var start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    static string Spread(List<double> times) =>
        $"median {InTurns.Median(times):0.00} ms, 9 of 10 within {times.Order().ElementAt(9 * times.Count / 10):0.00} ms, largest {times.Max():0.00} ms";

    /// <summary>A session that goes up and down its ladder by chance.</summary>
    sealed class Walk : IDisposable
    {
        readonly ElasticSession _session;
        readonly RunBuffers _buffers;
        readonly string[] _ladder;
        readonly Random _random;
        int _at;

        public Walk(Family family, ElasticOptions options, int seed)
        {
            _session = new ElasticSession(family, ServedFamily.Profile(family, options.Settings), options: options);
            (_buffers, _random) = (_session.CreateBuffers(), new Random(seed));
            _ladder = [.. _session.Log.Ladder.Select(rung => rung.Variant)];
        }

        public string At => _ladder[_at];

        public void Step()
        {
            _at = _at == 0 ? 1 : _at == _ladder.Length - 1 ? _at - 1 : _at + (2 * _random.Next(2)) - 1;
            _session.SwitchTo(_ladder[_at]);
        }

        public void Answer() => _session.Run(_buffers);

        public void Settle() => SpinWait.SpinUntil(() => !_session.Settling);

        public void Dispose()
        {
            _buffers.Dispose();
            _session.Dispose();
        }
    }

    sealed class Kind(string name, Walk walk, Action before, bool rested = false)
    {
        public string Name => name;

        public List<double> Times { get; } = [];

        public List<double> Settled { get; } = [];

        public int Long { get; private set; }

        public int LongOffCore { get; private set; }

        public void Time()
        {
            if (!rested)
            {
                walk.Answer();
            }

            var off = TimesOffCore();
            Times.Add(Milliseconds(() =>
            {
                before();
                walk.Answer();
            }));
            if (Times[^1] > TargetMs)
            {
                Long++;
                LongOffCore += TimesOffCore() > off ? 1 : 0;
            }

            Settled.Add(Milliseconds(walk.Settle));
        }

        // How often the system gave this thread's core to another; proc_pid_status(5).
        static long TimesOffCore() => long.Parse(File.ReadLines("/proc/thread-self/status").First(line => line.StartsWith("nonvoluntary", StringComparison.Ordinal)).Split(':')[1]);
    }
}
