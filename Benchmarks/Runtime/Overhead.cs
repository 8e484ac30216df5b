using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Elastic;
using Microsoft.ML.OnnxRuntime;

namespace MaestroDeploy.Benchmarks.Runtime;

/// <summary>What one inference through <see cref="ElasticSession"/> costs beside the bare ONNX Runtime call on the same graph.</summary>
static class Overhead
{
    const int Rounds = 400;

    public static void Run(string[] args)
    {
        foreach (var (name, family, runsPerTurn) in new[] { ("small", ServedFamily.Small(), 100), ("large", ServedFamily.Large(), 2) })
        {
            Compare(name, family, runsPerTurn);
        }
    }

    static void Compare(string name, Family family, int runsPerTurn)
    {
        var settings = new SessionSettings { Threads = 1 };
        // A limit that is always kept: the governor watches every run, and nothing switches.
        var level = new ServiceLevel { MaxLatency = TimeSpan.FromSeconds(10) };
        using var session = new ElasticSession(family, ServedFamily.Profile(family, settings), level, new ElasticOptions { Settings = settings });
        using var buffers = session.CreateBuffers();

        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        using var bare = new InferenceSession(family.PathOf(session.Active), options);
        var inputs = new float[session.Inputs[0].Shape.Aggregate(1, (product, size) => product * size)];
        var outputs = new float[10];
        using var from = OrtValue.CreateTensorValueFromMemory(inputs, [.. session.Inputs[0].Shape.Select(size => (long)size)]);
        using var to = OrtValue.CreateTensorValueFromMemory(outputs, [1, 10]);
        using var binding = bare.CreateIoBinding();
        binding.BindInput(session.Inputs[0].Signature.Name, from);
        binding.BindOutput(session.Outputs[0].Signature.Name, to);
        using var runOptions = new RunOptions();
        OrtValue[] ins = [from], outs = [to];

        Action[] turns =
        [
            () => Repeat(runsPerTurn, () => bare.Run(runOptions, bare.InputNames, ins, bare.OutputNames, outs)),
            () => Repeat(runsPerTurn, () => bare.RunWithBinding(runOptions, binding)),
            () => Repeat(runsPerTurn, () => session.Run(buffers)),
            () => Repeat(runsPerTurn, () => session.Run(inputs, outputs)),
        ];
        var times = InTurns.Time(Rounds, seed: 1, turns);
        string[] names = ["bare Run", "bare RunWithBinding", "ElasticSession, buffers", "ElasticSession, spans"];
        Console.WriteLine($"{name}: variant {session.Active.Id}, {Rounds} rounds of {runsPerTurn} runs each, 1 thread");
        foreach (var (i, what) in names.Index())
        {
            var us = InTurns.Median(times[i]) * 1000 / runsPerTurn;
            var ratio = InTurns.Ratio(times[i], times[0]);
            var more = InTurns.Median(times[i].Zip(times[0], (time, other) => time - other)) * 1000 / runsPerTurn;
            Console.WriteLine($"  {what,-24} {us,8:0.00} µs, {ratio:0.000}x, {more:+0.00;-0.00} µs; {Allocated(turns[i]) / runsPerTurn} B a run");
        }
    }

    static void Repeat(int count, Action action)
    {
        for (var i = 0; i < count; i++)
        {
            action();
        }
    }

    static long Allocated(Action turn)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        turn();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
