using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Compressor.Training.Optimization;
using MaestroDeploy.Compressor.Training.Tasks;
using MaestroDeploy.Data;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.LowRank;
using TorchSharp;

namespace MaestroDeploy.Tests.Compressor;

[TestClass]
public sealed class TrainerTests
{
    static readonly DataSet Digits = DataSets.Load("digits");

    [TestMethod]
    [DataRow("nested", Sampling.Nested, OptimizerKind.Sgd, 0.1, 0.9)]
    [DataRow("nested", Sampling.Independent, OptimizerKind.Sgd, 0.1, 0.9)]
    [DataRow("nested", Sampling.Nested, OptimizerKind.AdamW, 0.01, 0.9)]
    [DataRow("paper", Sampling.SingleLayer, OptimizerKind.Sgd, 0.05, 0.8)] // counted at the ranks drawn
    [DataRow("pufferfish", Sampling.None, OptimizerKind.Sgd, 0.1, 0.9)]
    [DataRow("dense", Sampling.None, OptimizerKind.Sgd, 0.1, 0.9)]
    public void Train_OnDigits_Learns(string recipe, Sampling sampling, OptimizerKind optimizer, double rate, double bar)
    {
        List<EpochMetrics> epochs = [];
        var options = Recipes.Named(recipe) with { Sampling = sampling, Optimizer = optimizer, LearningRate = rate, Epochs = 8, BatchSize = 32 };

        var result = new Trainer(options).Train(Dense(), Learn, onEpoch: epochs.Add);

        Assert.HasCount(8, epochs);
        Assert.IsGreaterThan(bar, epochs[^1].TrainAccuracy!.Value); // chance is 0.1
        Assert.IsLessThan(epochs[^1].TrainAccuracy!.Value, epochs[0].TrainAccuracy!.Value);
        Assert.HasCount(2, result.Model.Pairs);
    }

    [TestMethod]
    public void Train_ByTheFixedQuarter_KeepsAQuarterOfEachRank()
    {
        var options = Recipes.Named("pufferfish") with { Epochs = 4 };

        var trained = new Trainer(options).Train(Dense(), Learn);

        CollectionAssert.AreEqual(new[] { 12, 3 }, trained.Model.Pairs.Select(pair => pair.Rank(trained.Model.Model)).ToArray()); // of 48 and 10
        Assert.IsEmpty(trained.Epochs[0].Ranks, "the first of four epochs is dense");
    }

    [TestMethod]
    public void Train_SomeLayersOnly_LeavesTheOthersDense()
    {
        var options = new TrainingOptions { Epochs = 1, Layers = new LayerChoice(SkipLast: 1) };

        var trained = new Trainer(options).Train(Dense(), Learn);

        CollectionAssert.AreEqual(new[] { "fc1" }, trained.Model.Pairs.Select(pair => pair.Layer).ToArray());
        Assert.IsNotNull(trained.Model.Model.Initializer("logits.weight"));
    }

    [TestMethod]
    public void Train_AChoiceThatLeavesNoLayer_NamesThoseThereAre()
    {
        var options = new TrainingOptions { Epochs = 1, Layers = new LayerChoice(Names: "conv*") };

        StringAssert.Contains(Assert.ThrowsExactly<OnnxFormatException>(() => new Trainer(options).Train(Dense(), Learn)).Message, "fc1, logits");
    }

    [TestMethod]
    public void Train_WithAValidationSplit_TakesItsBestEpoch()
    {
        var (kept, held) = Digits.Train.Split(0.2, seed: 1);

        var result = new Trainer(new TrainingOptions { Epochs = 6 }).Train(Dense(), new ClassificationTask(kept), new ClassificationTask(held));

        Assert.IsTrue(result.Epochs.All(epoch => epoch.ValidationLoss > 0 && epoch.ValidationAccuracy is > 0 and <= 1));
        Assert.IsInRange(1, 6, result.BestEpoch);
    }

    /// <summary>A norm's statistics of a batch of one class are like nothing else.</summary>
    [TestMethod]
    public void Train_HeldOutSamplesClassByClass_AreJudgedInMixedBatches()
    {
        var (kept, held) = Digits.Train.Split(0.2, seed: 1);
        var sorted = new Sorted(held);

        new Trainer(new TrainingOptions { Epochs = 1, BatchSize = 32 }).Train(Dense(), new ClassificationTask(kept), sorted);

        Assert.IsGreaterThan(5, sorted.FewestClasses, "of a batch of 32");
    }

    [TestMethod]
    public void Train_ABatchOfOneValueAChannel_LeavesNormsTheirVariance()
    {
        var g = new GraphBuilder("norm", seed: 1);
        var model = g.Build(g.Linear(g.BatchNorm(g.Linear(g.Flatten(g.Input("image", 1, 8, 8)), "fc1", 24), "norm"), "logits", 10));
        var samples = Digits.Train.Take(33);

        var trained = new Trainer(new TrainingOptions { Epochs = 1, BatchSize = 32, Validation = 0 }).Train(new LodModel(model, [], new LodProvenance()), new ClassificationTask(samples)).Model.Model;

        Assert.IsTrue(trained.Floats(trained.Initializer("norm.variance")!).All(float.IsFinite));
        Assert.AreNotEqual(1, trained.Floats(trained.Initializer("norm.variance")!)[0], "the batch of 32 has moved it");
    }

    [TestMethod]
    public void Train_ForAPlanAlone_IsJudgedByItAndNotByTheFullModel()
    {
        var (kept, held) = Digits.Train.Split(0.2, seed: 1);
        var plan = new TrainedPlan(0.5, new Dictionary<string, int> { ["fc1"] = 4, ["logits"] = 4 });
        var options = Recipes.Named(Recipes.Tune) with { Sampling = Sampling.Plans, Plans = [plan], FullPass = false, Epochs = 4 };

        var result = new Trainer(options).Train(Small(), new ClassificationTask(kept), new ClassificationTask(held));

        var best = result.Epochs[result.BestEpoch - 1];
        Assert.AreEqual(result.Epochs.Min(epoch => epoch.ValidationLoss), best.ValidationLoss);
        Assert.AreEqual(Right(result.Model, held, [4, 4]), best.ValidationAccuracy!.Value, 1e-9);
        Assert.AreNotEqual(Right(result.Model, held, null), best.ValidationAccuracy!.Value, 1e-9, "the full model was not trained");
    }

    [TestMethod]
    [DataRow(4)]
    [DataRow(12)]
    public void Train_SeveralPlansOfABudget_TrainsTheBestOfEach(int epochs)
    {
        TrainedPlan[] plans = [Plan(0.5, 1), Plan(0.5, 10), Plan(0.25, 4), Plan(0.25, 1), Plan(0.1, 2)];
        var (kept, held) = Digits.Train.Split(0.2, seed: 1);
        var options = Recipes.Named(Recipes.Tune) with { Sampling = Sampling.Plans, Plans = plans, FullPass = false, Epochs = epochs, BatchSize = 32 };

        var result = new Trainer(options).Train(Small(), new ClassificationTask(kept), new ClassificationTask(held));

        CollectionAssert.AreEqual(new[] { 1, 2, 4 }, result.Plans!.ToArray(), "of ten components and one, of four and one, and the only one");
        Assert.HasCount(epochs, result.Epochs);
        Assert.IsGreaterThan(0, result.BestEpoch);

        static TrainedPlan Plan(double budget, int rank) => new(budget, new Dictionary<string, int> { ["fc1"] = rank, ["logits"] = rank });
    }

    [TestMethod]
    public void Train_SeveralPlansOfABudget_TriesEachAloneForAQuarterOfTheRunInAll()
    {
        TrainedPlan[] plans = [.. new[] { (0.5, 10), (0.5, 4), (0.1, 2) }.Select(plan => new TrainedPlan(plan.Item1, new Dictionary<string, int> { ["logits"] = plan.Item2 }))];
        var options = Recipes.Named(Recipes.Tune) with { Sampling = Sampling.Plans, Plans = plans, FullPass = false, Epochs = 8, BatchSize = 128 };
        List<TrainingProgress> told = [];

        var result = new Trainer(options).Train(Small(), Learn, progress: new Reporter(told.Add));

        var (trials, steps) = (told.TakeWhile(at => at.Trial is not null).ToList(), told.Count(at => at.Trial is null));
        Assert.AreEqual(8 * ((Learn.Count + 127) / 128), steps, "the run itself is as long as it was asked to be");
        CollectionAssert.AreEqual(new[] { (1, 2), (2, 2) }, trials.Select(at => at.Trial!.Value).Distinct().ToArray(), "a plan that is alone needs no trial");
        Assert.HasCount(steps / 4, trials);
        Assert.IsTrue(trials.GroupBy(at => at.Trial).All(trial => trial.Select(at => at.Step).SequenceEqual(Enumerable.Range(1, trial.First().Steps))));
        Assert.IsTrue(trials.All(at => at.Remaining > TimeSpan.Zero && at.SamplesPerSecond > 0));
        var alone = new Trainer(options with { Plans = [.. result.Plans!.Select(i => plans[i])] }).Train(Small(), Learn);
        Assert.IsTrue(alone.Model.Model.Graph.Equals(result.Model.Model.Graph), "a trial changes nothing but the choice");
        Assert.IsGreaterThan(alone.Epochs[^1].TrainingMacs, result.Epochs[^1].TrainingMacs);
    }

    [TestMethod]
    public void Train_PlansThatAllDiverge_TriesEachAndSaysSo()
    {
        TrainedPlan[] plans = [.. new[] { 10, 4 }.Select(rank => new TrainedPlan(0.5, new Dictionary<string, int> { ["logits"] = rank }))];
        var options = Recipes.Named(Recipes.Tune) with { Sampling = Sampling.Plans, Plans = plans, FullPass = false, Epochs = 8, LearningRate = 1e25, WarmUp = 0 };
        HashSet<(int, int)?> tried = [];

        Assert.ThrowsExactly<TrainingDivergedException>(() => new Trainer(options).Train(Small(), Learn, progress: new Reporter(at => tried.Add(at.Trial))));

        CollectionAssert.IsSubsetOf(new (int, int)?[] { (1, 2), (2, 2) }, tried.ToArray(), "the first plan's divergence ended the trials");
    }

    [TestMethod]
    public void Train_PlansOfAModelThatTrainingOnlyHarms_GivesBackTheModelAndItsBestPlans()
    {
        var (kept, held) = Digits.Train.Split(0.2, seed: 1);
        var start = SmallModels.Mlp;
        TrainedPlan[] plans = [.. new[] { 2, 40, 1 }.Select((rank, i) => new TrainedPlan(i < 2 ? 0.5 : 0.1, start.Pairs.ToDictionary(pair => pair.Layer, _ => rank)))];
        var options = Recipes.Named(Recipes.Tune) with { Sampling = Sampling.Plans, Plans = plans, FullPass = false, Epochs = 2, LearningRate = 0.5 };

        var result = new Trainer(options).Train(start, new ClassificationTask(kept), new ClassificationTask(held));

        Assert.AreEqual(0, result.BestEpoch);
        CollectionAssert.AreEqual(new[] { 1, 2 }, result.Plans!.ToArray());
        Assert.IsTrue(start.Model.Graph.Equals(result.Model.Model.Graph));
    }

    [TestMethod]
    public void Train_TwiceWithOneSeed_GivesTheSameModelToTheBit()
    {
        var options = new TrainingOptions { Epochs = 2, BatchSize = 64, Lasso = new Lasso(1e-3) };

        var (first, second) = (new Trainer(options).Train(Small(), Learn), new Trainer(options).Train(Small(), Learn));

        Assert.IsTrue(first.Model.Model.Graph.Equals(second.Model.Model.Graph));
    }

    [TestMethod]
    public void Train_WithAnotherSeed_GivesAnotherModel()
    {
        var options = new TrainingOptions { Epochs = 1 };

        var first = new Trainer(options).Train(Small(), Learn);
        var second = new Trainer(options with { Seed = 2 }).Train(Small(), Learn);

        Assert.IsFalse(first.Model.Model.Graph.Equals(second.Model.Model.Graph));
    }

    [TestMethod]
    [DataRow(LassoStep.Proximal, 1e-7, DisplayName = "proximal, at the paper's threshold")]
    [DataRow(LassoStep.Subgradient, 1e-1, DisplayName = "subgradient, at a threshold that it can reach")]
    public void Train_WithLasso_RemovesRanksThatNeverComeBack(LassoStep step, double threshold)
    {
        List<EpochMetrics> epochs = [];
        var options = new TrainingOptions { Epochs = 6, BatchSize = 64, Lasso = new Lasso(2e-2, Step: step), ShrinkThreshold = threshold };

        var trained = new Trainer(options).Train(Small(), Learn, onEpoch: epochs.Add).Model;

        var ranks = epochs.Select(epoch => epoch.Ranks["fc1"]).ToArray();
        CollectionAssert.AreEqual(ranks.OrderDescending().ToArray(), ranks);
        Assert.IsLessThan(48, ranks[^1]);
        Assert.AreEqual(ranks[^1], trained.Pairs[0].Rank(trained.Model));
        Assert.IsLessThan(epochs[0].Macs, epochs[^1].Macs);
    }

    [TestMethod]
    public void Train_OverManySteps_LeavesNoTensorBehind()
    {
        var model = Small();
        var before = torch.Tensor.TotalCount;
        List<long> alive = [];

        new Trainer(new TrainingOptions { Epochs = 2, Lasso = new Lasso(1e-3) })
            .Train(model, Learn, progress: new Reporter(_ => alive.Add(torch.Tensor.TotalCount)));

        Assert.AreEqual(alive[3], alive[^1]); // the first steps make the momentum
        Assert.AreEqual(before, torch.Tensor.TotalCount);
    }

    [TestMethod]
    public void Train_Cancelled_StopsAtTheNextStep()
    {
        using var cancelling = new CancellationTokenSource();
        var steps = 0;
        var progress = new Reporter(_ =>
        {
            steps++;
            cancelling.Cancel();
        });

        Assert.ThrowsExactly<OperationCanceledException>(() =>
            new Trainer(new TrainingOptions()).Train(Small(), Learn, progress: progress, cancellation: cancelling.Token));

        Assert.AreEqual(1, steps);
    }

    [TestMethod]
    public void Train_ARateThatDiverges_SaysSoInsteadOfWritingNaN()
    {
        var options = new TrainingOptions { LearningRate = 1e30, ClipNorm = 1e30 };

        StringAssert.Contains(Assert.ThrowsExactly<TrainingDivergedException>(() => new Trainer(options).Train(Small(), Learn)).Message, "diverged");
    }

    [TestMethod]
    public void Train_WeightsThatAreNumbersWhereAnswersAreNot_SaysThatItDiverged()
    {
        var (kept, held) = Digits.Train.Split(0.2, seed: 1);
        // One step, after which no loss is taken but that of the held-out samples.
        var options = new TrainingOptions { Epochs = 1, DenseShare = 0, BatchSize = kept.Count, LearningRate = 1e25, WarmUp = 0 };

        Assert.ThrowsExactly<TrainingDivergedException>(() => new Trainer(options).Train(Small(), new ClassificationTask(kept), new ClassificationTask(held)));
    }

    [TestMethod]
    public void Train_PlansOfADenseModel_IsRefused()
    {
        var options = new TrainingOptions { Sampling = Sampling.Plans, Plans = [new TrainedPlan(0.5, new Dictionary<string, int> { ["fc1"] = 2 })] };

        Assert.Contains("factored already", Assert.ThrowsExactly<ArgumentException>(() => new Trainer(options).Train(Dense(), Learn)).Message);
    }

    [TestMethod]
    public void Train_ScoresBeforeAxesOfOne_LearnsTheClasses()
    {
        var g = new GraphBuilder("pooled", seed: 1);
        var x = g.Relu(g.Conv(g.Input("image", 1, 8, 8), "conv1", channels: 32, kernel: 3, pad: 1));
        var pooled = g.Build(g.GlobalAveragePool(g.Conv(g.MaxPool(x, 2), "conv2", channels: 10, kernel: 3, pad: 1)));

        var result = new Trainer(new TrainingOptions { Epochs = 6 }).Train(SvdFactoring.Factor(pooled, new LodProvenance()), Learn);

        Assert.IsGreaterThan(0.5, result.Epochs[^1].TrainAccuracy!.Value); // by chance 0.1
    }

    [TestMethod]
    public void Train_SamplesOfAnotherShape_NamesBoth()
    {
        var lenet = SvdFactoring.Factor(BuiltInModels.Create("lenet", [1, 28, 28], 10, 1), new LodProvenance());

        var message = Assert.ThrowsExactly<UntrainableModelException>(() => new Trainer(new TrainingOptions()).Train(lenet, Learn)).Message;

        StringAssert.Contains(message, "28");
        StringAssert.Contains(message, "[1, 8, 8]");
    }

    [TestMethod]
    public void New_AnOptionOutOfRange_NamesItAsOnTheCommandLine() =>
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new Trainer(new TrainingOptions { Epochs = 0 })).Message, "--epochs is 0");

    static double Right(LodModel model, SampleSet samples, int[]? ranks)
    {
        using var scope = torch.NewDisposeScope();
        using var graph = new TrainableGraph(model);
        var task = new ClassificationTask(samples);
        var batch = task.Load([.. Enumerable.Range(0, samples.Count)], null);
        return graph.Forward(batch.Inputs[0], ranks).argmax(1).eq(batch.Targets!).to(torch.float64).mean().item<double>();
    }

    static TrainingTask Learn => new ClassificationTask(Digits.Train);

    static LodModel Dense() => new(BuiltInModels.Create("mlp", [1, 8, 8], 10, 1, new ModelSize([48])), [], new LodProvenance());

    static LodModel Small() => SvdFactoring.Factor(BuiltInModels.Create("mlp", [1, 8, 8], 10, 1, new ModelSize([48])), new LodProvenance());

    /// <summary>Samples in the order of their classes, and how mixed the full batches were that they came in.</summary>
    sealed class Sorted(SampleSet samples) : TrainingTask
    {
        readonly ClassificationTask _task = new(samples);
        readonly int[] _order = [.. Enumerable.Range(0, samples.Count).OrderBy(sample => samples.Labels[sample])];

        public int FewestClasses { get; private set; } = int.MaxValue;

        public override string Name => _task.Name;

        public override int Count => _task.Count;

        public override TaskBatch Load(ReadOnlySpan<int> chosen, Random? random)
        {
            int[] here = [.. chosen.ToArray().Select(sample => _order[sample])];
            FewestClasses = here.Length < 32 ? FewestClasses : Math.Min(FewestClasses, here.Select(sample => samples.Labels[sample]).Distinct().Count());
            return _task.Load(here, random);
        }

        public override void Check(LodModel model) => _task.Check(model);
    }

    sealed class Reporter(Action<TrainingProgress> onStep) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => onStep(value);
    }
}
