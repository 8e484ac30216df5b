using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Data;
using MaestroDeploy.Onnx.LowRank;
using TorchSharp;

namespace MaestroDeploy.Tests.Compressor;

[TestClass]
public sealed class TrainerTests
{
    static readonly DataSet Digits = DataSets.Load("digits");

    [TestMethod]
    [DataRow(Recipe.Nested)]
    [DataRow(Recipe.Paper)]
    public void Train_OnDigits_Learns(Recipe recipe)
    {
        List<EpochMetrics> epochs = [];

        new Trainer(new TrainingOptions { Recipe = recipe, Epochs = 8, BatchSize = 32 }).Train(Small(), Digits.Train, epochs.Add);

        Assert.HasCount(8, epochs);
        Assert.IsGreaterThan(0.9, epochs[^1].TrainAccuracy); // chance is 0.1
        Assert.IsLessThan(epochs[0].Loss / 2, epochs[^1].Loss);
    }

    [TestMethod]
    public void Train_TwiceWithOneSeed_GivesTheSameModelToTheBit()
    {
        var options = new TrainingOptions { Epochs = 2, BatchSize = 64, Lasso = 1e-3 };

        var (first, second) = (new Trainer(options).Train(Small(), Digits.Train), new Trainer(options).Train(Small(), Digits.Train));

        Assert.IsTrue(first.Model.Graph.Equals(second.Model.Graph));
    }

    [TestMethod]
    public void Train_WithAnotherSeed_GivesAnotherModel()
    {
        var options = new TrainingOptions { Epochs = 1 };

        var first = new Trainer(options).Train(Small(), Digits.Train);
        var second = new Trainer(options with { Seed = 2 }).Train(Small(), Digits.Train);

        Assert.IsFalse(first.Model.Graph.Equals(second.Model.Graph));
    }

    [TestMethod]
    [DataRow(LassoStep.Proximal, 1e-7, DisplayName = "proximal, at the paper's threshold")]
    [DataRow(LassoStep.Subgradient, 1e-1, DisplayName = "subgradient, at a threshold that it can reach")]
    public void Train_WithLasso_RemovesRanksThatNeverComeBack(LassoStep step, double threshold)
    {
        List<EpochMetrics> epochs = [];
        var options = new TrainingOptions { Epochs = 6, BatchSize = 64, Lasso = 2e-2, LassoStep = step, ShrinkThreshold = threshold };

        var trained = new Trainer(options).Train(Small(), Digits.Train, epochs.Add);

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

        new Trainer(new TrainingOptions { Epochs = 2, Lasso = 1e-3 })
            .Train(model, Digits.Train, progress: new Reporter(() => alive.Add(torch.Tensor.TotalCount)));

        Assert.AreEqual(alive[3], alive[^1]); // the first steps make the momentum
        Assert.AreEqual(before, torch.Tensor.TotalCount);
    }

    [TestMethod]
    public void Train_Cancelled_StopsAtTheNextStep()
    {
        using var cancelling = new CancellationTokenSource();
        var steps = 0;
        var progress = new Reporter(() =>
        {
            steps++;
            cancelling.Cancel();
        });

        Assert.ThrowsExactly<OperationCanceledException>(() =>
            new Trainer(new TrainingOptions()).Train(Small(), Digits.Train, progress: progress, cancellation: cancelling.Token));

        Assert.AreEqual(1, steps);
    }

    [TestMethod]
    public void Train_ARateThatDiverges_SaysSoInsteadOfWritingNaN()
    {
        var options = new TrainingOptions { LearningRate = 1e30, ClipNorm = 1e30 };

        StringAssert.Contains(Assert.ThrowsExactly<TrainingDivergedException>(() => new Trainer(options).Train(Small(), Digits.Train)).Message, "diverged");
    }

    [TestMethod]
    public void Train_SamplesOfAnotherShape_NamesBoth()
    {
        var lenet = SvdFactoring.Factor(BuiltInModels.Create("lenet", [1, 28, 28], 10, 1), new LodProvenance());

        var message = Assert.ThrowsExactly<UntrainableModelException>(() => new Trainer(new TrainingOptions()).Train(lenet, Digits.Train)).Message;

        StringAssert.Contains(message, "28");
        StringAssert.Contains(message, "[1, 8, 8]");
    }

    [TestMethod]
    public void New_AnOptionOutOfRange_NamesItAsOnTheCommandLine() =>
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new Trainer(new TrainingOptions { Epochs = 0 })).Message, "--epochs is 0");

    static LodModel Small() => SvdFactoring.Factor(BuiltInModels.Create("mlp", [1, 8, 8], 10, seed: 1, hidden: [48]), new LodProvenance());

    sealed class Reporter(Action onStep) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => onStep();
    }
}
