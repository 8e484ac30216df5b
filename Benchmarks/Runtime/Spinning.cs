using System.Diagnostics;
using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Elastic;
using Microsoft.ML.OnnxRuntime;

namespace MaestroDeploy.Benchmarks.Runtime;

/// <summary>How much processor time a session's idle threads take after a run, and what runs one after another take: ONNX Runtime by default, and as an elastic session sets it.</summary>
static class Spinning
{
    const int Blocks = 60, RunsInARow = 30, Threads = 2;
    static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(100);

    public static void Run(string[] args)
    {
        var family = ServedFamily.Large();
        var settings = new SessionSettings { Threads = Threads };
        using var elastic = new ElasticSession(family, ServedFamily.Profile(family, settings), options: new ElasticOptions { Settings = settings, Standbys = 0, Governor = null });
        using var buffers = elastic.CreateBuffers();
        using var options = new SessionOptions { IntraOpNumThreads = Threads };
        using var bare = new InferenceSession(family.PathOf(elastic.Active), options);
        using var from = OrtValue.CreateTensorValueFromMemory(new float[1024], [1, 1, 32, 32]);
        using var to = OrtValue.CreateTensorValueFromMemory(new float[10], [1, 10]);
        using var binding = bare.CreateIoBinding();
        binding.BindInput(bare.InputNames[0], from);
        binding.BindOutput(bare.OutputNames[0], to);
        using var runOptions = new RunOptions();

        (string Name, Action Once)[] kinds = [("by default", () => bare.RunWithBinding(runOptions, binding)), ("elastic", () => elastic.Run(buffers))];
        var (times, after) = (kinds.Select(_ => new List<double>()).ToArray(), kinds.Select(_ => new List<double>()).ToArray());
        var (random, order) = (new Random(1), new[] { 0, 1 });
        for (var block = 0; block < Blocks; block++)
        {
            random.Shuffle(order); // what a kind leaves behind, on the cores too, meets both
            foreach (var i in order)
            {
                var kind = kinds[i];
                kind.Once();
                for (var run = 0; run < RunsInARow; run++)
                {
                    var start = Stopwatch.GetTimestamp();
                    kind.Once();
                    times[i].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                }

                after[i].Add(ProcessorTime(() => Task.Delay(Rest).Wait()));
            }
        }

        foreach (var (i, kind) in kinds.Index())
        {
            Console.WriteLine($"{kind.Name,-10} {Threads} threads: {InTurns.Median(after[i]):0.0} ms of processor time in the {Rest.TotalMilliseconds} ms after a run; "
                + $"runs in a row: lower quartile {InTurns.LowerQuartile([.. times[i]]):0.00} ms, median {InTurns.Median(times[i]):0.00} ms");
        }
    }

    static double ProcessorTime(Action action)
    {
        var before = Environment.CpuUsage.TotalTime;
        action();
        return (Environment.CpuUsage.TotalTime - before).TotalMilliseconds;
    }
}
