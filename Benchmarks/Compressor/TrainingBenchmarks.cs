using System.Diagnostics;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Compressor.Training.Optimization;
using MaestroDeploy.Compressor.Training.Tasks;
using MaestroDeploy.Data;
using MaestroDeploy.Onnx.LowRank;
using TorchSharp;

namespace MaestroDeploy.Benchmarks.Compressor;

/// <summary>What LoD costs a training step, how long an epoch takes, and that memory stays flat.</summary>
static class TrainingBenchmarks
{
    const int BatchSize = 256;

    /// <summary>Sampling, lasso and shrinking against the same factored network without them, an epoch in turns.</summary>
    public static void Overhead(string[] args)
    {
        var rounds = args.Length > 0 ? int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture) : 9;
        foreach (var (name, size) in new[] { ("lenet", ModelSize.Default), ("mlp", new ModelSize([512, 512])) })
        {
            var task = new ClassificationTask(Noise(20 * BatchSize));
            var model = new LodModel(BuiltInModels.Create(name, [1, 28, 28], 10, seed: 1, size), [], new LodProvenance());
            var plain = Recipes.Named("paper") with { Sampling = Sampling.None, Epochs = 1, BatchSize = BatchSize, Validation = 0 };
            var lasso = new Lasso(1e-4);
            var times = InTurns.Time(rounds, seed: 1,
                () => Train(plain, model, task),
                () => Train(plain with { Sampling = Sampling.SingleLayer }, model, task),
                () => Train(plain with { Lasso = lasso }, model, task),
                () => Train(plain with { Sampling = Sampling.SingleLayer, Lasso = lasso }, model, task));
            Console.WriteLine($"{name}, batch {BatchSize}, an epoch of 20 steps, median of {rounds} turns: factored alone {InTurns.Median(times[0]):0} ms; "
                + $"with the sampler {InTurns.Ratio(times[1], times[0]):0.00}x, with the lasso and shrinking {InTurns.Ratio(times[2], times[0]):0.00}x, with all three {InTurns.Ratio(times[3], times[0]):0.00}x");
        }
    }

    /// <summary>Seconds of an epoch of LeNet on MNIST, data included.</summary>
    public static void Epoch(string[] args)
    {
        var task = new ClassificationTask(DataSets.Load("mnist").Train);
        var model = new LodModel(BuiltInModels.Create("lenet", [1, 28, 28], 10, seed: 1), [], new LodProvenance());
        foreach (var recipe in args.Length > 0 ? args : ["dense", "paper", "nested"])
        {
            var options = Recipes.Named(recipe) with { Epochs = 3, BatchSize = BatchSize, Validation = 0 };
            options = recipe == "nested" ? options with { DenseShare = 0 } : options;
            var seconds = new Trainer(options).Train(model, task).Epochs.Select(epoch => epoch.Seconds).ToArray();
            Console.WriteLine($"lenet on mnist, batch {BatchSize}, {torch.get_num_threads()} threads, {recipe}: {string.Join(", ", seconds.Select(second => $"{second:0.0}"))} s an epoch");
        }
    }

    /// <summary>Live tensors and resident memory over 2,000 steps.</summary>
    public static void Memory(string[] args)
    {
        const int Steps = 2000;
        var task = new ClassificationTask(Noise(Steps / 4 * 32));
        var model = new LodModel(BuiltInModels.Create("lenet", [1, 28, 28], 10, seed: 1), [], new LodProvenance());
        var taken = 0;
        Console.WriteLine("step, live tensors, resident MB");
        new Trainer(new TrainingOptions { Epochs = 4, BatchSize = 32, Lasso = new Lasso(1e-4), DenseShare = 0 }).Train(model, task, progress: new Steps(() =>
        {
            if (++taken % 250 == 0)
            {
                using var process = Process.GetCurrentProcess();
                Console.WriteLine($"{taken}, {torch.Tensor.TotalCount}, {process.WorkingSet64 >> 20}");
            }
        }));
    }

    static void Train(TrainingOptions options, LodModel model, TrainingTask task) => new Trainer(options).Train(model, task);

    static SampleSet Noise(int count)
    {
        var random = new Random(1);
        var values = new float[count * 28 * 28];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = random.NextSingle();
        }

        return SampleSet.FromFloats("noise", [1, 28, 28], 10, values, [.. Enumerable.Range(0, count).Select(i => i % 10)]);
    }

    sealed class Steps(Action onStep) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => onStep();
    }
}
