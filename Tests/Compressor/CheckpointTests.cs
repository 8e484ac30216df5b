using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Compressor.Training.Optimization;
using MaestroDeploy.Compressor.Training.Tasks;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;

namespace MaestroDeploy.Tests.Compressor;

[TestClass]
public sealed class CheckpointTests
{
    static readonly (TrainingTask Training, TrainingTask Validation) Digits = Split();

    [TestMethod]
    [DataRow("nested", OptimizerKind.Sgd, 3, DisplayName = "nested, stopped in epoch 3")]
    [DataRow("nested", OptimizerKind.AdamW, 20, DisplayName = "nested by AdamW, stopped in epoch 2")]
    [DataRow("paper", OptimizerKind.Sgd, 40, DisplayName = "the paper's cycle, stopped in epoch 3")]
    [DataRow("pufferfish", OptimizerKind.Sgd, 20, DisplayName = "after the switch from dense")]
    public void Train_StoppedAndResumed_EndsWithTheSameBits(string recipe, OptimizerKind optimizer, int stopAfter)
    {
        using var folder = new TemporaryFolder();
        var options = Recipes.Named(recipe) with { Epochs = 4, BatchSize = 96, Optimizer = optimizer, LearningRate = 0.02, Lasso = new Lasso(3e-3) };
        var whole = Train(options, null);

        Assert.ThrowsExactly<OperationCanceledException>(() => Train(options, new Checkpoint(folder.Path), stopAfter));
        var resumed = Train(options, new Checkpoint(folder.Path));

        Assert.IsTrue(whole.Model.Model.Graph.Equals(resumed.Model.Model.Graph));
        Assert.AreEqual(whole.BestEpoch, resumed.BestEpoch);
        Assert.HasCount(4, resumed.Epochs);
        Assert.IsTrue(whole.Epochs.Zip(resumed.Epochs).All(pair => pair.First.Loss == pair.Second.Loss && pair.First.TrainingMacs == pair.Second.TrainingMacs));
    }

    [TestMethod]
    [DataRow(20, null, DisplayName = "while all are tried")]
    [DataRow(90, 1, DisplayName = "when one of each budget is trained")]
    public void Train_ForPlansStoppedAndResumed_EndsWithTheSameBitsAndPlans(int stopAfter, int? plansAtTheStop)
    {
        using var folder = new TemporaryFolder();
        TrainedPlan[] plans = [.. new[] { 8, 2, 1 }.Select(rank => new TrainedPlan(0.5, new Dictionary<string, int> { ["fc1"] = rank }))];
        var options = Recipes.Named(Recipes.Tune) with { Sampling = Sampling.Plans, Plans = plans, Epochs = 16, BatchSize = 96 };
        var start = SvdFactoring.Factor(BuiltInModels.Create("mlp", [1, 8, 8], 10, 1, new ModelSize([48])), new LodProvenance());
        var whole = Train(options, null, start: start);

        Assert.ThrowsExactly<OperationCanceledException>(() => Train(options, new Checkpoint(folder.Path), stopAfter, start: start));
        var stopped = new Checkpoint(folder.Path).Load(start, options, Digits.Training)?.State;
        var resumed = Train(options, new Checkpoint(folder.Path), start: start);

        Assert.AreEqual(plansAtTheStop, stopped?.Kept?.Count);
        Assert.HasCount(1, resumed.Plans!);
        Assert.AreEqual(whole.Plans![0], resumed.Plans![0]);
        Assert.IsTrue(whole.Model.Model.Graph.Equals(resumed.Model.Model.Graph));
    }

    [TestMethod]
    [DataRow(20, DisplayName = "while it is dense")]
    [DataRow(50, DisplayName = "when it is factored")]
    public void Train_OfHalfPrecisionStoppedAndResumed_EndsWithTheSameBits(int stopAfter)
    {
        using var folder = new TemporaryFolder();
        var options = new TrainingOptions { Epochs = 5, DenseShare = 0.4, BatchSize = 96 };
        var whole = Train(options, null, type: DataType.Float16);

        Assert.ThrowsExactly<OperationCanceledException>(() => Train(options, new Checkpoint(folder.Path), stopAfter, DataType.Float16));
        var resumed = Train(options, new Checkpoint(folder.Path), type: DataType.Float16);

        Assert.AreEqual(DataType.Float16, whole.Model.Pairs[0].Type(whole.Model.Model));
        CollectionAssert.AreEqual(whole.Epochs.Select(epoch => epoch.Loss).ToArray(), resumed.Epochs.Select(epoch => epoch.Loss).ToArray());
        Assert.IsTrue(whole.Model.Model.Graph.Equals(resumed.Model.Model.Graph));
    }

    [TestMethod]
    public void Train_StoppedInTheFirstEpoch_LeavesNoCheckpoint()
    {
        using var folder = new TemporaryFolder();

        Assert.ThrowsExactly<OperationCanceledException>(() => Train(new TrainingOptions { Epochs = 2 }, new Checkpoint(folder.Path), stopAfter: 1));

        Assert.IsFalse(new Checkpoint(folder.Path).Exists);
        Assert.IsEmpty(Directory.GetFiles(folder.Path));
    }

    [TestMethod]
    public void Train_ACheckpointOfOtherOptions_NamesTheOneThatDiffers()
    {
        using var folder = new TemporaryFolder();
        var options = new TrainingOptions { Epochs = 3, BatchSize = 96 };
        Assert.ThrowsExactly<OperationCanceledException>(() => Train(options, new Checkpoint(folder.Path), stopAfter: 30));

        var message = Assert.ThrowsExactly<CheckpointException>(() => Train(options with { LearningRate = 0.02 }, new Checkpoint(folder.Path))).Message;

        StringAssert.Contains(message, "learning-rate");
        StringAssert.Contains(message, "0.02");
    }

    [TestMethod]
    public void Train_ACheckpointOfAnotherModel_NamesBothSizes()
    {
        using var folder = new TemporaryFolder();
        var options = new TrainingOptions { Epochs = 3, BatchSize = 96 };
        Assert.ThrowsExactly<OperationCanceledException>(() => Train(options, new Checkpoint(folder.Path), stopAfter: 30));
        var wider = new LodModel(BuiltInModels.Create("mlp", [1, 8, 8], 10, options.Seed, new ModelSize([64])), [], new LodProvenance());

        var message = Assert.ThrowsExactly<CheckpointException>(() => new Trainer(options).Train(wider, Digits.Training, Digits.Validation, new Checkpoint(folder.Path))).Message;

        StringAssert.Contains(message, "3,610");
        StringAssert.Contains(message, "4,810");
    }

    /// <summary>What was learnt of samples fed otherwise would be told as learnt of these.</summary>
    [TestMethod]
    public void Train_ACheckpointOfOtherScaling_NamesBoth()
    {
        using var folder = new TemporaryFolder();
        var options = new TrainingOptions { Epochs = 3, BatchSize = 96 };
        Assert.ThrowsExactly<OperationCanceledException>(() => Train(options, new Checkpoint(folder.Path), stopAfter: 30, start: FedAs("pixels / 255")));

        var message = Assert.ThrowsExactly<CheckpointException>(() => Train(options, new Checkpoint(folder.Path), start: FedAs("pixels"))).Message;

        StringAssert.Contains(message, "fed as pixels / 255, and here as pixels");

        LodModel FedAs(string scaling) => new(BuiltInModels.Create("mlp", [1, 8, 8], 10, options.Seed, new ModelSize([48])), [], new LodProvenance(Scaling: scaling));
    }

    [TestMethod]
    public void Train_ADamagedCheckpoint_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var options = new TrainingOptions { Epochs = 3, BatchSize = 96 };
        Assert.ThrowsExactly<OperationCanceledException>(() => Train(options, new Checkpoint(folder.Path), stopAfter: 30));
        var path = Path.Combine(folder.Path, "checkpoint.onnx");
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 0x10;
        File.WriteAllBytes(path, bytes);

        Assert.ThrowsExactly<OnnxFormatException>(() => Train(options, new Checkpoint(folder.Path)));
    }

    static TrainingResult Train(TrainingOptions options, Checkpoint? checkpoint, int stopAfter = int.MaxValue, DataType type = DataType.Float, LodModel? start = null)
    {
        using var cancelling = new CancellationTokenSource();
        var model = start ?? new LodModel(BuiltInModels.Create("mlp", [1, 8, 8], 10, options.Seed, new ModelSize([48])), [], new LodProvenance());
        foreach (var tensor in model.Model.Graph.Initializer.Where(tensor => type != DataType.Float && tensor.DataType == (int)DataType.Float).ToList())
        {
            model.Model.ReplaceInitializer(TensorValues.Create(tensor.Name, [.. tensor.Dims], model.Model.Floats(tensor), type));
        }

        var steps = 0;
        var progress = new StepCounter(() =>
        {
            if (++steps == stopAfter)
            {
                cancelling.Cancel();
            }
        });
        return new Trainer(options).Train(model, Digits.Training, Digits.Validation, checkpoint, progress: progress, cancellation: cancelling.Token);
    }

    static (TrainingTask, TrainingTask) Split()
    {
        var (kept, held) = SmallModels.Digits.Train.Split(0.1, seed: 1);
        return (new ClassificationTask(kept), new ClassificationTask(held));
    }

    sealed class StepCounter(Action onStep) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => onStep();
    }
}
