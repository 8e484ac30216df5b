using System.Runtime.InteropServices;
using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Compressor.Training.Optimization;
using MaestroDeploy.Compressor.Training.Samplers;
using MaestroDeploy.Compressor.Training.Tasks;
using MaestroDeploy.Onnx.Cost;
using MaestroDeploy.Onnx.LowRank;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Training;

/// <summary>A model in training: its weights, their moments, and the steps that change them.</summary>
sealed class TrainingRun : IDisposable
{
    const string WholePrefix = "whole/";
    const int CalibrationBatches = 50; // a running mean of momentum 0.1 has then forgotten all but 0.5 % of what it was

    readonly TrainingOptions _options;
    readonly TrainingTask _task;
    readonly Schedule _schedule;
    readonly int _batchSize;
    TrainableGraph _graph;
    GradientStep _step;
    IRankSampler? _sampler;
    LodCost _cost;
    double[] _prices;

    /// <param name="model">The model to start from, factored or not.</param>
    /// <param name="task">What it learns.</param>
    /// <param name="options">How.</param>
    /// <param name="state">How far it has come.</param>
    /// <param name="share">Its length, as a share of the options' epochs, at least a step.</param>
    public TrainingRun(LodModel model, TrainingTask task, TrainingOptions options, RunState state, double share = 1)
    {
        (_task, _options, State) = (task, options, state);
        task.Check(model);
        _batchSize = Math.Min(options.BatchSize, task.Count);
        Length = Math.Max(1, (long)(share * StepsAnEpoch * options.Epochs));
        _schedule = new Schedule(options.Schedule, options.LearningRate, options.WarmUp, Length);
        (_graph, _cost, _step, _sampler, _prices) = Compile(model);
        Provenance = model.Provenance;
    }

    public RunState State { get; private set; }

    public LodProvenance Provenance { get; }

    /// <summary>Which of the options' plans are trained; null for none.</summary>
    public IReadOnlyList<int>? Plans => State.Kept ?? (_options.Plans is { } plans ? [.. Enumerable.Range(0, plans.Count)] : null);

    public bool IsFactored => _graph.Pairs.Count > 0;

    public int StepsAnEpoch => (_task.Count + _batchSize - 1) / _batchSize;

    public int SamplesAnEpoch => _task.Count;

    /// <summary>Steps from its start to its end.</summary>
    public long Length { get; }

    public double LearningRate => _schedule.Rate(Math.Max(0, State.Step - 1));

    public IReadOnlyDictionary<string, int> Ranks => _graph.Pairs.Zip(_graph.Ranks).ToDictionary(pair => pair.First.Layer, pair => pair.Second);

    /// <summary>‖u_b‖·‖v_b‖ of each component of each factored layer, to four digits.</summary>
    public IReadOnlyDictionary<string, float[]> Importance => _graph.Pairs.ToDictionary(pair => pair.Layer, pair =>
        GroupLasso.RowNorms(_graph.Weights[pair.U]).Zip(GroupLasso.RowNorms(_graph.Weights[pair.V]), (u, v) => FourDigits(u * v)).ToArray());

    /// <summary>What the model costs at its current ranks, each layer at the cheaper of pair and dense.</summary>
    public ModelCost Cost => _cost.At(_graph.Ranks);

    /// <summary>What <see cref="Model"/> does not tell: the optimiser's moments, and in all their digits the numbers that it holds in half precision.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Beside => _step.Moments.Concat(_graph.Widened.Select(tensor => KeyValuePair.Create(WholePrefix + tensor.Key, tensor.Value)));

    /// <summary>Puts one of <see cref="Beside"/> back; the run owns it from now on.</summary>
    public void Restore(string name, Tensor value)
    {
        if (!name.StartsWith(WholePrefix, StringComparison.Ordinal))
        {
            _step.Restore(name, value);
            return;
        }

        using var nothing = no_grad();
        _graph.Widened.First(tensor => WholePrefix + tensor.Key == name).Value.copy_(value);
        value.Dispose();
    }

    public LodModel Model() => _graph.ToModel(Provenance);

    /// <summary>Replaces the dense model by its factors, cut to the share of their ranks that is asked for.</summary>
    public void Factor()
    {
        var factored = SvdFactoring.Factor(Model().Model, Provenance, _options.Layers, _options.RankShare);
        _step.Dispose();
        _graph.Dispose();
        (_graph, _cost, _step, _sampler, _prices) = Compile(factored);
        State = State with { FactoredSince = State.Step, RanksSince = State.Step, BestEpoch = 0 };
    }

    /// <summary>One pass over the training split.</summary>
    /// <returns>The mean loss of its steps, and the share of answers that were right, null without labels.</returns>
    public (double Loss, double? Accuracy) TrainEpoch(Action<int, double> onStep, CancellationToken cancellation)
    {
        var epoch = State.Epochs.Count + 1;
        var batches = _task.Batches(_batchSize, RandomStreams.At(_options.Seed, RandomUse.Order, epoch));
        var (loss, right, of) = (0.0, 0L, 0L);
        for (var i = 0; i < batches.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var learnt = Step(batches[i], epoch, i + 1);
            loss += learnt.Loss;
            right += learnt.Right;
            of += learnt.Of;
            onStep(i + 1, loss / (i + 1));
        }

        // The last step's loss was taken before it.
        using var scope = NewDisposeScope();
        return _graph.Weights.Concat(_graph.Statistics).All(tensor => tensor.Value.detach().isfinite().all().item<bool>())
            ? (loss / batches.Count, _task.HasLabels ? (double)right / of : null)
            : throw new TrainingDivergedException(epoch, batches.Count, LearningRate);
    }

    /// <summary>All steps that are left, without what follows an epoch.</summary>
    public void TrainToTheEnd(Action<int, double> onStep, CancellationToken cancellation)
    {
        for (var epoch = 1; State.Step < Length; epoch++)
        {
            foreach (var batch in _task.Batches(_batchSize, RandomStreams.At(_options.Seed, RandomUse.Order, epoch)).Take((int)(Length - State.Step)))
            {
                cancellation.ThrowIfCancellationRequested();
                var (loss, _, _) = Step(batch, epoch, (int)State.Step + 1);
                onStep((int)State.Step, loss);
            }
        }
    }

    /// <summary>Removes each layer's tail whose importance is at most the threshold, where a lasso is there to shrink it.</summary>
    public void Shrink()
    {
        if (_options.Lasso.Weight == 0)
        {
            return;
        }

        var ranks = _graph.Ranks;
        for (var i = 0; i < ranks.Count; i++)
        {
            var pair = _graph.Pairs[i];
            var importance = GroupLasso.TailNorms(_graph.Weights[pair.U]).Zip(GroupLasso.TailNorms(_graph.Weights[pair.V]), (u, v) => u * v);
            var kept = importance.Count(value => value > _options.ShrinkThreshold);
            if (kept < ranks[i])
            {
                _graph.Shrink(i, kept);
                _step.Shrink(pair.U, kept);
                _step.Shrink(pair.V, kept);
                State = State with { RanksSince = State.Step, BestEpoch = 0 };
            }
        }
    }

    /// <summary>Where only cut models were trained: gives the norms the statistics of the model at its current ranks.</summary>
    public void RecalibrateNorms()
    {
        if (_graph.Statistics.Count == 0 || !IsFactored || TrainsFull)
        {
            return;
        }

        using var nothing = no_grad();
        foreach (var batch in _task.Batches(_batchSize, RandomStreams.At(_options.Seed, RandomUse.Order, 0)).Take(CalibrationBatches))
        {
            using var scope = NewDisposeScope();
            _graph.Logits(_task.Load(batch, null).Inputs, null, ForwardMode.TrainFull);
        }
    }

    /// <summary>Loss and accuracy on held-out samples of the largest model that is trained, and a score to choose the best epoch by.</summary>
    /// <remarks>The score is the mean loss of the models that the run is for: where families are trained, of some of their members.</remarks>
    public (double Loss, double? Accuracy, double Score) Validate(TrainingTask held, CancellationToken cancellation)
    {
        var members = Members().Select(ranks => Evaluate(held, ranks, cancellation)).ToList();
        return (members[0].Loss, members[0].Accuracy, members.Average(member => member.Loss));
    }

    /// <summary>Where plans are trained: judges the model by them as it is, before it is changed.</summary>
    /// <param name="held">What it is judged by.</param>
    /// <param name="cancellation">Checked before each batch.</param>
    public void JudgeStart(TrainingTask held, CancellationToken cancellation)
    {
        if (_sampler is PlanSampler && State.Step == 0)
        {
            State = State with { StartScore = Validate(held, cancellation).Score };
        }
    }

    /// <summary>Where plans are trained: whether no epoch was better by them than the start.</summary>
    public bool IsUnbeaten => State.BestEpoch > 0 && State.StartScore <= State.BestScore;

    public void Note(EpochMetrics epoch, bool isBest, double score) => State = State with
    {
        Epochs = [.. State.Epochs, epoch],
        BestEpoch = isBest ? epoch.Epoch : State.BestEpoch,
        BestScore = isBest ? score : State.BestScore,
    };

    public void Dispose()
    {
        _step.Dispose();
        _graph.Dispose();
    }

    bool TrainsFull => _options.FullPass || _options.Sampling == Sampling.None || !IsFactored;

    /// <summary>The ranks of the models that an epoch is judged by, null for the full ones, the largest first: the plans, or the full model and that at a quarter of its ranks.</summary>
    IReadOnlyList<int[]?> Members() => !IsFactored ? [null] : _sampler switch
    {
        PlanSampler sampler => [.. _options.FullPass ? [null] : Array.Empty<int[]?>(), .. sampler.Plans(_graph.Ranks)],
        NestedSampler or IndependentSampler => [null, [.. _graph.Ranks.Select(rank => (rank + 3) / 4)]],
        _ => [null],
    };

    (double Loss, double? Accuracy) Evaluate(TrainingTask held, int[]? ranks, CancellationToken cancellation)
    {
        using var nothing = no_grad();
        var (loss, right, of) = (0.0, 0L, 0L);
        // Sets may lie class by class, and what a batch of one class gives a norm is like nothing else; the order is the same each time.
        foreach (var samples in held.Batches(_batchSize, RandomStreams.At(_options.Seed, RandomUse.Order, 0)))
        {
            cancellation.ThrowIfCancellationRequested();
            var batch = Explained(samples, Answer);
            loss += batch.Loss * batch.Of;
            right += batch.Right;
            of += batch.Of;
        }

        // The weights may still be numbers where what they answer is none.
        return double.IsFinite(loss) ? (loss / of, held.HasLabels ? (double)right / of : null) : throw new TrainingDivergedException(State.Epochs.Count + 1, StepsAnEpoch, LearningRate);

        (double Loss, long Right, long Of) Answer(int[] samples)
        {
            using var scope = NewDisposeScope();
            var batch = held.Load(samples, null);
            // A cut model's norms have no statistics of their own before it is exported, and a batch of one has none to give.
            var answers = Answers(batch, ranks, ranks is null || samples.Length == 1 ? ForwardMode.Evaluate : ForwardMode.TrainAtRanks);
            var (batchRight, batchOf) = Answered(answers, batch);
            return (held.Loss(answers, batch, smoothing: 0).item<float>(), batchRight, batchOf);
        }
    }

    // What Torch refuses is the model's shapes at this batch: a Reshape that fixes the batch, a norm over a single sample, a sentence too long.
    T Explained<T>(int[] samples, Func<int[], T> run)
    {
        try
        {
            return run(samples);
        }
        catch (ExternalException e)
        {
            throw new UntrainableModelException(Provenance.Model ?? "the model", "(a batch)", $"Torch refuses a batch of {samples.Length}: {e.Message.Split('\n')[0]}");
        }
    }

    (double Loss, long Right, long Of) Step(int[] samples, int epoch, int step)
    {
        var learnt = Explained(samples, Learn);
        return double.IsFinite(learnt.Loss) ? learnt : throw new TrainingDivergedException(epoch, step, LearningRate);
    }

    (double Loss, long Right, long Of) Learn(int[] samples)
    {
        using var scope = NewDisposeScope();
        var batch = _task.Load(samples, RandomStreams.At(_options.Seed, RandomUse.Augmentation, State.Step));
        var (loss, answers) = LearnFrom(batch);
        var rate = _schedule.Rate(State.Step);
        ApplyLasso(LassoStep.Subgradient, (factor, weight) => GroupLasso.AddGradient(factor, weight, _options.Lasso.Groups));
        _step.Apply(_graph.Weights, rate, State.Step - State.FactoredSince);
        // Momentum makes a steady gradient count several times; so must the lasso, or its weight would mean less than as a gradient.
        ApplyLasso(LassoStep.Proximal, (factor, weight) => GroupLasso.Shrink(factor, rate * weight * _step.Gain, _options.Lasso.Groups));
        State = State with { Step = State.Step + 1 };
        var (right, of) = Answered(answers, batch);
        return (loss, right, of);
    }

    // Without labels no answer is right or wrong, and samples are counted.
    static (long Right, long Of) Answered(Tensor answers, TaskBatch batch) => batch.Targets is { } targets ? Losses.Answers(answers, targets) : (0, batch.Inputs[0].shape[0]);

    /// <summary>The passes of one step: the full model by its task, and the cut one by the full one's answers, or by the task too.</summary>
    /// <returns>The sum of their losses, and the first pass's answers.</returns>
    (double Loss, Tensor Answers) LearnFrom(TaskBatch batch)
    {
        var loss = 0.0;
        var full = TrainsFull ? Pass(batch, null, ForwardMode.TrainFull) : null;
        if (full is not null)
        {
            Learn(_task.Loss(full, batch, _options.LabelSmoothing));
        }

        if (!IsFactored || _sampler is null)
        {
            return (loss, full!);
        }

        // Without a full pass it is the cut one that moves the norms' running statistics.
        var cut = Pass(batch, _sampler.Draw(_graph.Ranks, new SamplingPlace(State.Step, State.RanksSince)), full is null ? ForwardMode.TrainFull : ForwardMode.TrainAtRanks);
        var learnsFromFull = full is not null && _options.SoftTargets && batch.Taught is null; // a teacher knows better
        Learn(learnsFromFull ? Losses.Soft(cut, full!, batch.Targets!) : _task.Loss(cut, batch, _options.LabelSmoothing));
        return (loss, full ?? cut);

        void Learn(Tensor passLoss)
        {
            passLoss.backward(); // gradients add up, and each pass's memory is freed before the next
            loss += passLoss.item<float>();
        }
    }

    Tensor Pass(TaskBatch batch, int[]? ranks, ForwardMode mode)
    {
        const int ForwardAndBackward = 3; // the backward pass forms the products for the input's gradient and for the weight's
        var macs = ForwardAndBackward * (double)_cost.At(ranks ?? _graph.Ranks).Macs * batch.Inputs[0].shape[0];
        State = State with { TrainingMacs = State.TrainingMacs + macs };
        return Answers(batch, ranks, mode);
    }

    Tensor Answers(TaskBatch batch, int[]? ranks, ForwardMode mode) => _task.LearnsLogits ? _graph.Logits(batch.Inputs, ranks, mode) : _graph.Answer(batch.Inputs, ranks, mode);

    void ApplyLasso(LassoStep kind, Action<Tensor, double> apply)
    {
        var lasso = _options.Lasso;
        if (lasso.Weight == 0 || lasso.Step != kind || State.Step >= lasso.Until * StepsAnEpoch * _options.Epochs)
        {
            return;
        }

        // A pair that the first output does not depend on has no gradient, and learns nothing.
        foreach (var (pair, price) in _graph.Pairs.Zip(_prices).Where(pair => _graph.Weights[pair.First.U].grad is not null))
        {
            apply(_graph.Weights[pair.U], lasso.Weight * price);
            apply(_graph.Weights[pair.V], lasso.Weight * price);
        }
    }

    /// <summary>How much of the lasso each layer feels, 0 to 1.</summary>
    double[] PricesOf(LodCost cost)
    {
        var prices = cost.Layers.Select(layer => _options.Lasso.Weighting == LassoWeighting.Even ? 1.0 : layer.Positions * (layer.Pair.In + (double)layer.Pair.Out)).ToArray();
        var dearest = prices.DefaultIfEmpty().Max();
        return [.. prices.Select(price => price / dearest)];
    }

    IRankSampler? SamplerFor(LodCost cost) => _options.Sampling switch
    {
        Sampling.SingleLayer => new SingleLayerSampler(_options.Seed),
        Sampling.Independent => new IndependentSampler(_options.Seed),
        Sampling.Plans => new PlanSampler(_options.Seed, cost, State.Kept is { } kept ? [.. kept.Select(i => _options.Plans![i])] : _options.Plans!),
        Sampling.Nested => new NestedSampler(_options.Seed, cost.Layers, _options.SmallestShare, _options.Logarithmic),
        _ => null,
    };

    // The graph first: it names an operator that it lacks more plainly than a count that fails on it.
    (TrainableGraph, LodCost, GradientStep, IRankSampler?, double[]) Compile(LodModel model)
    {
        var graph = new TrainableGraph(model);
        try
        {
            var cost = model.Cost();
            return (graph, cost, new GradientStep(_options), SamplerFor(cost), PricesOf(cost));
        }
        catch
        {
            graph.Dispose();
            throw;
        }
    }

    static float FourDigits(double value)
    {
        if (value == 0 || !double.IsFinite(value))
        {
            return 0;
        }

        var scale = Math.Pow(10, 3 - Math.Floor(Math.Log10(value)));
        return (float)(Math.Round(value * scale) / scale);
    }
}
