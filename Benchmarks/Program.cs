using MaestroDeploy.Benchmarks.Compressor;
using MaestroDeploy.Benchmarks.Exporter;
using MaestroDeploy.Benchmarks.Runtime;

// Each benchmark prints ratios of things that it ran in turns, since the machine's own speed drifts.
SortedDictionary<string, Action<string[]>> benchmarks = new()
{
    ["latency-share"] = LatencyShare.Run,
    ["training-epoch"] = TrainingBenchmarks.Epoch,
    ["training-memory"] = TrainingBenchmarks.Memory,
    ["training-overhead"] = TrainingBenchmarks.Overhead,
    ["runtime-overhead"] = Overhead.Run,
    ["runtime-switch"] = Switching.Run,
    ["runtime-memory"] = Residents.Run,
    ["runtime-prepacking"] = Prepacking.Run,
    ["runtime-select"] = SelectingHere.Run,
    ["runtime-contention"] = Contention.Run,
    ["runtime-soak"] = Soak.Run,
    ["runtime-spinning"] = Spinning.Run,
};

if (args.Length == 0 || !benchmarks.TryGetValue(args[0], out var benchmark))
{
    Console.Error.WriteLine($"Name a benchmark: {string.Join(", ", benchmarks.Keys)}.");
    return 2;
}

benchmark(args[1..]);
return 0;
