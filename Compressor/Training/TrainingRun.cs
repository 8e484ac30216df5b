using System.Runtime.InteropServices;
using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Data;
using MaestroDeploy.Onnx.Cost;
using MaestroDeploy.Onnx.LowRank;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Training;

/// <summary>The state of one run: weights, momentum, random streams, and how far the schedule has come.</summary>
sealed class TrainingRun : IDisposable
{
    readonly LodModel _model;
    readonly LodCost _cost;
    readonly SampleSet _samples;
    readonly TrainingOptions _options;
    readonly TrainableGraph _graph;
    readonly GradientStep _step;
    readonly IRankSampler _sampler;
    readonly long[] _inputShape;
    readonly int[] _order;
    readonly int _batchSize;
    readonly Random _shuffling;
    int _taken;

    public TrainingRun(LodModel model, SampleSet samples, TrainingOptions options)
    {
        (_model, _samples, _options) = (model, samples, options);
        _inputShape = InputShape(model, samples);
        CheckClasses(model, samples);
        _graph = new TrainableGraph(model);
        _cost = CostOrDispose(model);
        _step = new GradientStep(options.Momentum, options.WeightDecay, options.ClipNorm);
        // One stream for each use: a change in how ranks are drawn leaves the batches as they were.
        _shuffling = new Random(options.Seed);
        var sampling = new Random(options.Seed ^ 0x5eed);
        _sampler = options.Recipe == Recipe.Paper ? new SingleLayerSampler(sampling) : new NestedSampler(sampling, _cost.Layers, options.SmallestShare);
        _batchSize = Math.Min(options.BatchSize, samples.Count);
        _order = [.. Enumerable.Range(0, samples.Count)];
    }

    public double LearningRate { get; private set; }

    public IReadOnlyDictionary<string, int> Ranks => _graph.Pairs.Zip(_graph.Ranks).ToDictionary(pair => pair.First.Layer, pair => pair.Second);

    int StepsAnEpoch => (_samples.Count + _batchSize - 1) / _batchSize;

    public (double Loss, double Accuracy) Epoch(int epoch, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        _shuffling.Shuffle(_order);
        var batch = new float[_batchSize * _samples.SampleSize];
        var (loss, right, seen) = (0.0, 0L, 0);
        for (var step = 0; step < StepsAnEpoch; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            var chosen = _order.AsSpan(seen, Math.Min(_batchSize, _order.Length - seen));
            var (stepLoss, stepRight) = LearnOrExplain(chosen, batch);
            if (!double.IsFinite(stepLoss))
            {
                throw new TrainingDivergedException(epoch, step + 1, LearningRate);
            }

            seen += chosen.Length;
            loss += stepLoss * chosen.Length;
            right += stepRight;
            progress?.Report(new TrainingProgress(epoch, _options.Epochs, step + 1, StepsAnEpoch, loss / seen));
        }

        return (loss / seen, (double)right / seen);
    }

    /// <summary>Removes each layer's tail whose importance is at most the threshold; one rank always stays.</summary>
    public void Shrink()
    {
        for (var i = 0; i < _graph.Pairs.Count; i++)
        {
            var pair = _graph.Pairs[i];
            var importance = GroupLasso.TailNorms(_graph.Weights[pair.U]).Zip(GroupLasso.TailNorms(_graph.Weights[pair.V]), (u, v) => (double)u * v).ToArray();
            var kept = Math.Max(1, importance.Count(value => value > _options.ShrinkThreshold));
            if (kept < importance.Length)
            {
                _graph.Shrink(i, kept);
                _step.Shrink(pair.U, kept);
                _step.Shrink(pair.V, kept);
            }
        }
    }

    /// <summary>What the model costs at its current ranks, each layer at the cheaper of pair and dense.</summary>
    public ModelCost Cost() => _cost.At(_graph.Ranks);

    public LodModel Result(LodProvenance provenance) => _graph.ToModel(provenance);

    public void Dispose()
    {
        _step.Dispose();
        _graph.Dispose();
    }

    // What Torch refuses is the model's shapes at this batch: a Reshape that fixes the batch, a norm over a single sample.
    (double Loss, long Right) LearnOrExplain(ReadOnlySpan<int> chosen, float[] batch)
    {
        try
        {
            return Learn(chosen, batch);
        }
        catch (ExternalException e)
        {
            throw new UntrainableModelException(_model.Model.Name, "(a step)", $"Torch refuses a batch of {chosen.Length}: {e.Message.Split('\n')[0]}");
        }
    }

    (double Loss, long Right) Learn(ReadOnlySpan<int> chosen, float[] batch)
    {
        using var scope = NewDisposeScope();
        _samples.CopySamples(chosen, batch);
        _inputShape[0] = chosen.Length;
        var x = NativeTensor.From(batch.AsSpan(0, chosen.Length * _samples.SampleSize), _inputShape);
        var labels = new long[chosen.Length];
        for (var i = 0; i < labels.Length; i++)
        {
            labels[i] = _samples.Labels[chosen[i]];
        }

        var y = NativeTensor.From(labels);
        var (loss, answers) = Loss(x, y);
        loss.backward();
        LearningRate = Schedule.Rate(_options.LearningRate, _taken++, StepsAnEpoch * _options.Epochs);
        ApplyLasso(LassoStep.Subgradient, factor => GroupLasso.AddGradient(factor, _options.Lasso));
        _step.Apply(_graph.Weights, LearningRate);
        // Momentum makes a steady gradient count 1/(1 − μ) times; so must the lasso, or its weight would mean less than as a gradient.
        ApplyLasso(LassoStep.Proximal, factor => GroupLasso.Shrink(factor, LearningRate * _options.Lasso / (1 - _options.Momentum)));
        return (loss.item<float>(), answers.argmax(1).eq(y).sum().item<long>());
    }

    (Tensor Loss, Tensor Answers) Loss(Tensor x, Tensor y)
    {
        var ranks = _sampler.Draw(_graph.Ranks);
        if (_options.Recipe == Recipe.Paper)
        {
            var sampled = _graph.Logits(x, ranks, ForwardMode.TrainFull);
            return (nn.functional.cross_entropy(sampled, y), sampled);
        }

        var full = _graph.Logits(x, null, ForwardMode.TrainFull);
        var cut = _graph.Logits(x, ranks, ForwardMode.TrainAtRanks);
        var taught = -(full.detach().softmax(1) * cut.log_softmax(1)).sum([1L]).mean();
        return (nn.functional.cross_entropy(full, y) + taught, full);
    }

    void ApplyLasso(LassoStep kind, Action<Tensor> apply)
    {
        if (_options.Lasso > 0 && _options.LassoStep == kind)
        {
            // A pair that the first output does not depend on has no gradient, and learns nothing.
            foreach (var pair in _graph.Pairs.Where(pair => _graph.Weights[pair.U].grad is not null))
            {
                apply(_graph.Weights[pair.U]);
                apply(_graph.Weights[pair.V]);
            }
        }
    }

    // After the graph, which names an operator that it lacks more plainly than a count that fails on it.
    LodCost CostOrDispose(LodModel model)
    {
        try
        {
            return model.Cost();
        }
        catch
        {
            _graph.Dispose();
            throw;
        }
    }

    static void CheckClasses(LodModel model, SampleSet samples)
    {
        var scores = Shapes.Of(model.Model)[model.Model.Graph.Output[0].Name];
        if (scores is not null && (scores.Count != 2 || scores[1] != samples.Classes))
        {
            throw new UntrainableModelException(model.Model.Name, model.Model.Graph.Output[0].Name,
                $"it gives [{string.Join(", ", scores)}] a sample, and {samples.Name} has {samples.Classes} classes");
        }
    }

    static long[] InputShape(LodModel model, SampleSet samples)
    {
        var input = model.Model.Inputs.First();
        long[] shape = [.. (input.Type?.TensorType?.Shape?.Dim ?? []).Select(axis => axis.HasDimValue ? axis.DimValue : -1)];
        // The same numbers in the same order, but for axes of size 1: [1, 784, 1] takes [1, 28, 28]'s 784 only if it says so.
        var fits = shape.Length > 1 && shape.Skip(1).Where(size => size != 1).SequenceEqual(samples.SampleShape.Select(size => (long)size).Where(size => size != 1));
        if (!fits)
        {
            throw new UntrainableModelException(model.Model.Name, input.Name,
                $"it takes [{string.Join(", ", shape)}], and samples of {samples.Name} are [{string.Join(", ", samples.SampleShape)}]");
        }

        return shape;
    }
}
