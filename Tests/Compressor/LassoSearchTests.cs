using System.Text.Json;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Compressor.Training.Optimization;
using MaestroDeploy.Compressor.Training.Tasks;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.LowRank;
using TorchSharp;

namespace MaestroDeploy.Tests.Compressor;

[TestClass]
public sealed class LassoSearchTests
{
    const int StepsAnEpoch = 14; // 1,293 samples in batches of 96

    static readonly TrainingOptions OneDenseEpoch = new() { Epochs = 3, DenseShare = 1.0 / 3, BatchSize = 96 };
    static readonly LassoTarget Unreachable = new(macs: null, accuracy: 1);
    static readonly (TrainingTask Training, TrainingTask Validation) Digits = Split();

    [TestInitialize]
    public void InOneThread() => torch.set_num_threads(1);

    [TestMethod]
    public void Run_AfterASharedDenseStart_EndsEachTryWithTheBitsOfALoneRun()
    {
        using var folder = new TemporaryFolder();
        List<LodModel> models = [];
        List<(int Try, double Loss, double TrainingMacs)> epochs = [];
        var steps = new int[3];

        var found = new LassoSearch(OneDenseEpoch, Unreachable, largest: 4e-3, most: 2).Run(Start(), Digits.Training, Digits.Validation, folder.Path, [],
            (_, model) => models.Add(model!), (number, epoch) => epochs.Add((number, epoch.Loss, epoch.TrainingMacs)), number => new Steps(() => steps[number]++));

        CollectionAssert.AreEqual(new[] { StepsAnEpoch, 2 * StepsAnEpoch, 2 * StepsAnEpoch }, steps, "the dense epoch is trained once");
        foreach (var (number, weight) in new[] { (1, 4e-3), (2, 2e-3) })
        {
            var lone = new Trainer(OneDenseEpoch with { Lasso = new Lasso(weight) }).Train(Start(), Digits.Training, Digits.Validation);
            Assert.IsTrue(lone.Model.Model.Graph.Equals(models[number - 1].Model.Graph), $"try {number}");
            CollectionAssert.AreEqual(lone.Epochs.Select(epoch => (number, epoch.Loss, epoch.TrainingMacs)).ToArray(), epochs.Where(epoch => epoch.Try == number).ToArray());
        }

        Assert.AreEqual(2e-3, found.Tries[1].Lasso);
        Assert.IsEmpty(Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories), "checkpoints go when the search ends");
    }

    [TestMethod]
    [DataRow(5, DisplayName = "in the dense start")]
    [DataRow(StepsAnEpoch + 5, DisplayName = "before a try's own first epoch has ended")]
    [DataRow(2 * StepsAnEpoch + 5, DisplayName = "inside a try")]
    [DataRow(3 * StepsAnEpoch + 5, DisplayName = "in the second try")]
    public void Run_StoppedAndResumed_EndsWithTheSameTriesAndBits(int stopAfter)
    {
        using var folder = new TemporaryFolder();
        var whole = Search(OneDenseEpoch, folder["whole"]);

        Assert.ThrowsExactly<OperationCanceledException>(() => Search(OneDenseEpoch, folder["stopped"], stopAfter));
        var resumed = Search(OneDenseEpoch, folder["stopped"]);

        Assert.AreEqual(whole, resumed);
        foreach (var model in new[] { "1.onnx", "2.onnx" })
        {
            CollectionAssert.AreEqual(File.ReadAllBytes(folder[$"whole/{model}"]), File.ReadAllBytes(folder[$"stopped/{model}"]));
        }
    }

    [TestMethod]
    public void Run_KilledBeforeATryThatWasCutShortWasKept_TrainsThatTryNoFurther()
    {
        using var folder = new TemporaryFolder();
        var options = OneDenseEpoch with { Epochs = 6, DenseShare = 0 };
        List<LassoTry> tries = [];
        var search = new LassoSearch(options, Unreachable, largest: 10, most: 1);

        Assert.ThrowsExactly<IOException>(() => search.Run(Start(), Digits.Training, Digits.Validation, folder.Path, [], (_, _) => throw new IOException("killed")));
        search.Run(Start(), Digits.Training, Digits.Validation, folder.Path, [], (tried, _) => tries.Add(tried));

        Assert.IsTrue(tries[0].IsCutShort);
        Assert.AreEqual(1, tries[0].Epochs);
    }

    [TestMethod]
    public void Run_OtherOptionsThanTheStoppedSearchs_NamesTheOneThatDiffers()
    {
        using var folder = new TemporaryFolder();
        Assert.ThrowsExactly<OperationCanceledException>(() => Search(OneDenseEpoch, folder.Path, stopAfter: StepsAnEpoch + 5));

        var message = Assert.ThrowsExactly<CheckpointException>(() => Search(OneDenseEpoch with { Momentum = 0.5 }, folder.Path)).Message;

        StringAssert.Contains(message, "momentum is 0.9, and here 0.5");
    }

    [TestMethod]
    public void Run_WhereALoneRunWasStopped_DoesNotTakeItForTheSharedStart()
    {
        using var folder = new TemporaryFolder();
        using var cancelling = new CancellationTokenSource();
        Assert.ThrowsExactly<OperationCanceledException>(() => new Trainer(OneDenseEpoch).Train(Start(), Digits.Training, Digits.Validation, new Checkpoint(folder.Path),
            epoch => CancelIf(epoch.Epoch == 2), cancellation: cancelling.Token));

        var message = Assert.ThrowsExactly<CheckpointException>(() => Search(OneDenseEpoch, folder.Path)).Message;

        StringAssert.Contains(message, "it has come to epoch 2, and the dense start ends with epoch 1");

        void CancelIf(bool isTime)
        {
            if (isTime)
            {
                cancelling.Cancel();
            }
        }
    }

    [TestMethod]
    public void Run_TriesThatDiverge_AreRowsOfTheTableAndNeverChosen()
    {
        using var folder = new TemporaryFolder();
        // Its subgradient without clipping throws the weights out of what a float holds; at a thousandth of that it does not.
        var options = OneDenseEpoch with { Lasso = new Lasso(Step: LassoStep.Subgradient), ClipNorm = double.PositiveInfinity };
        List<LodModel?> models = [];

        var found = new LassoSearch(options, Unreachable, largest: 1000, most: 12).Run(Start(), Digits.Training, Digits.Validation, folder.Path, [], (_, model) => models.Add(model));

        Assert.HasCount(12, found.Tries);
        Assert.Contains("diverged", found.Tries[0].Diverged!);
        Assert.AreEqual((1, null), (found.Tries[0].Epochs, found.Tries[0].MacsShare), "the dense epoch that it shares is all that it finished");
        Assert.IsNull(found.Tries[^1].Diverged);
        Assert.IsNull(found.Tries[found.Chosen].Diverged);
        CollectionAssert.AreEqual(found.Tries.Select(tried => tried.Diverged is null).ToArray(), models.Select(model => model is not null).ToArray());
    }

    /// <summary>A branch beside a residual may lose every rank, and the model be as good without it.</summary>
    [TestMethod]
    public void Run_ABranchThatLosesEveryRank_IsTrainedToTheEnd()
    {
        using var folder = new TemporaryFolder();
        var g = new GraphBuilder("residual", seed: 1);
        var x = g.Flatten(g.Input("image", 1, 8, 8));
        var model = new LodModel(g.Build(g.Linear(g.Add(x, g.Relu(g.Linear(x, "branch", 64))), "logits", 10)), [], new LodProvenance());
        var options = Recipes.Named("paper") with { Epochs = 12, BatchSize = 128, LearningRate = 0.05, Lasso = new Lasso(Until: 0.5) };

        var found = new LassoSearch(options, Unreachable, largest: 0.05, most: 1)
            .Run(model, Digits.Training, Digits.Validation, folder.Path, [], (_, _) => { });

        Assert.AreEqual(0, found.Tries[0].Ranks!["branch"]);
        Assert.IsGreaterThan(0, found.Tries[0].Ranks!["logits"]);
        Assert.IsFalse(found.Tries[0].IsCutShort);
    }

    [TestMethod]
    public void Run_EveryTryDiverges_SaysSoAndCanGoOnWithSmallerWeights()
    {
        using var folder = new TemporaryFolder();
        var options = OneDenseEpoch with { Lasso = new Lasso(Step: LassoStep.Subgradient), ClipNorm = double.PositiveInfinity };
        List<LassoTry> tries = [];

        var message = Assert.ThrowsExactly<TrainingDivergedException>(() => Run(most: 2)).Message;
        var found = Run(most: 12);

        StringAssert.Contains(message, "Each of 2 tries diverged, the last with a lasso of 500: Training diverged at step");
        Assert.HasCount(12, found.Tries);

        LassoSearchResult Run(int most) =>
            new LassoSearch(options, Unreachable, largest: 1000, most).Run(Start(), Digits.Training, Digits.Validation, folder.Path, [.. tries], (tried, _) => tries.Add(tried));
    }

    /// <summary>Two tries, which leave their models in the folder, and their rows in a file as the command does.</summary>
    static string Search(TrainingOptions options, string folder, int stopAfter = int.MaxValue)
    {
        using var cancelling = new CancellationTokenSource();
        var table = Path.Combine(folder, "tries.json");
        List<LassoTry> tries = File.Exists(table) ? JsonSerializer.Deserialize<List<LassoTry>>(File.ReadAllText(table))! : [];
        var steps = 0;
        new LassoSearch(options, Unreachable, largest: 4e-3, most: 2).Run(Start(), Digits.Training, Digits.Validation, folder, [.. tries], Keep, null, _ => new Steps(Count), cancelling.Token);
        return File.ReadAllText(table);

        void Keep(LassoTry tried, LodModel? model)
        {
            tries.Add(tried);
            model!.Save(Path.Combine(folder, $"{tries.Count}.onnx"));
            File.WriteAllText(table, JsonSerializer.Serialize(tries));
        }

        void Count()
        {
            if (++steps == stopAfter)
            {
                cancelling.Cancel();
            }
        }
    }

    static LodModel Start() => new(BuiltInModels.Create("mlp", [1, 8, 8], 10, seed: 1, new ModelSize([48])), [], new LodProvenance());

    static (TrainingTask, TrainingTask) Split()
    {
        var (kept, held) = SmallModels.Digits.Train.Split(0.1, seed: 1);
        return (new ClassificationTask(kept), new ClassificationTask(held));
    }

    sealed class Steps(Action onStep) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => onStep();
    }
}
