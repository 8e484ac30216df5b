using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Compressor.Training.Tasks;
using MaestroDeploy.Data;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;
using TorchSharp;

namespace MaestroDeploy.Tests.Compressor;

[TestClass]
public sealed class DistillationTaskTests
{
    // Torch and ONNX Runtime agree within 1e-4 on logits, of which a divergence sees the square.
    const float SameModel = 1e-5f;

    static readonly SampleSet Images = SmallModels.Digits.Train;

    [TestMethod]
    public void Loss_OfTheTeacherItself_IsZero()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["teacher.onnx"]);
        using var teacher = new Teacher(folder["teacher.onnx"]);
        var task = new DistillationTask(new ClassificationTask(Images), teacher);
        task.Check(SmallModels.Mlp);

        using var graph = new TrainableGraph(SmallModels.Mlp);
        using var scope = torch.NewDisposeScope();
        var batch = task.Load([3, 1, 4], null);
        var full = task.Loss(graph.Logits(batch.Inputs), batch, smoothing: 0).item<float>();
        var cut = task.Loss(graph.Logits(batch.Inputs, [2, 2, 2]), batch, smoothing: 0).item<float>();

        Assert.AreEqual(0, full, SameModel);
        Assert.IsGreaterThan(0.1f, cut); // two components cannot tell ten digits
        Assert.IsGreaterThan(0.9, task.TeacherAccuracy!.Value);
    }

    [TestMethod]
    public void Divergence_OfClassesThatTheModelRulesOut_IsThatOfTheOthers()
    {
        const float Not = float.NegativeInfinity;
        using var scope = torch.NewDisposeScope();
        var learner = torch.tensor(new[] { 1f, Not, 3f }, [1, 3], requires_grad: true);
        var target = torch.zeros(1, torch.int64);

        var divergence = Losses.Divergence(learner, torch.tensor(new[] { 2f, Not, 1f }, [1, 3]), target);
        divergence.backward();

        var others = Losses.Divergence(torch.tensor(new[] { 1f, 3f }, [1, 2]), torch.tensor(new[] { 2f, 1f }, [1, 2]), target);
        Assert.AreEqual(others.item<float>(), divergence.item<float>(), SameModel);
        Assert.IsTrue(learner.grad!.isfinite().all().item<bool>());
    }

    [TestMethod]
    public void Check_AnswersThatAreKept_HoldsNoTensor()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["teacher.onnx"]);
        using var teacher = new Teacher(folder["teacher.onnx"]);
        var before = torch.Tensor.TotalCount;
        TrainingTask[] tasks = [new DistillationTask(new ClassificationTask(Images), teacher), new DistillationTask(new UnlabelledTask("inputs", Arrays(64)), teacher)];

        foreach (var task in tasks)
        {
            task.Check(SmallModels.Mlp);
        }

        Assert.AreEqual(before, torch.Tensor.TotalCount);
    }

    [TestMethod]
    public void Answers_BehindASoftmaxAndOfAFixedBatch_AreThoseOfTheLogits()
    {
        using var folder = new TemporaryFolder();
        Linear(softmax: false).Save(folder["logits.onnx"]);
        var fixedBatch = Linear(softmax: true);
        fixedBatch.Graph.Input[0].Type.TensorType.Shape.Dim[0] = new() { DimValue = 2 };
        fixedBatch.Graph.Output[0].Type.TensorType.Shape.Dim[0] = new() { DimValue = 2 };
        fixedBatch.Save(folder["softmax.onnx"]);

        using var scope = torch.NewDisposeScope();
        using var logits = new Teacher(folder["logits.onnx"]);
        using var softmax = new Teacher(folder["softmax.onnx"]);
        var inputs = torch.linspace(-1, 1, 5 * 64).reshape(5, 1, 8, 8); // two batches and a half
        var (expected, found) = (logits.Answers([inputs]).softmax(1), softmax.Answers([inputs]).softmax(1));

        CollectionAssert.AreEqual(new long[] { 5, 10 }, found.shape);
        Assert.IsLessThan(SameModel, (expected - found).abs().max().item<float>());
    }

    [TestMethod]
    public void Loss_OfASingleUnlabelledSample_IsANumberAndNothingWhereTheAnswersAreTheTeachers()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["teacher.onnx"]);
        using var teacher = new Teacher(folder["teacher.onnx"]);
        var task = new DistillationTask(new UnlabelledTask("inputs", Arrays(1)), teacher);
        task.Check(SmallModels.Mlp);

        using var graph = new TrainableGraph(SmallModels.Mlp);
        using var scope = torch.NewDisposeScope();
        var batch = task.Load([0], null);
        var cut = task.Loss(graph.Logits(batch.Inputs, [1, 1, 1]), batch, smoothing: 0).item<float>();

        Assert.AreEqual(0, task.Loss(graph.Logits(batch.Inputs), batch, smoothing: 0).item<float>(), SameModel);
        Assert.IsTrue(cut is > 0 and < 100, $"{cut}");
    }

    [TestMethod]
    [DataRow(TensorProto.Types.DataType.Int32)]
    [DataRow(TensorProto.Types.DataType.Int64)]
    [DataRow(TensorProto.Types.DataType.Double)]
    public void Load_ArraysForInputsOfAnyType_AreOfThatTypeToBothModels(TensorProto.Types.DataType type)
    {
        using var folder = new TemporaryFolder();
        var g = new GraphBuilder("typed", seed: 1);
        var floats = g.Node("Cast", [g.Input("x", 4)], node => node.With("to", (int)TensorProto.Types.DataType.Float));
        var model = g.Build(g.Linear(floats, "logits", 3));
        model.Graph.Input[0].Type.TensorType.ElemType = (int)type;
        model.Save(folder["teacher.onnx"]);
        using var teacher = new Teacher(folder["teacher.onnx"]);
        var lod = SvdFactoring.Factor(model, new LodProvenance());
        var task = new DistillationTask(new UnlabelledTask("inputs", new Dictionary<string, NpyArray> { ["x"] = new([2, 4], [0, 1, 2, 3, 4, 5, 6, 7], "float32") }), teacher);
        task.Check(lod);

        using var graph = new TrainableGraph(lod);
        using var scope = torch.NewDisposeScope();
        var batch = task.Load([0, 1], null);

        Assert.AreEqual(0, task.Loss(graph.Logits(batch.Inputs), batch, smoothing: 0).item<float>(), SameModel);
    }

    [TestMethod]
    public void Answers_WhoseFirstAxisDoesNotGoOverTheSamples_AreRefused()
    {
        using var folder = new TemporaryFolder();
        var g = new GraphBuilder("turned", seed: 1);
        g.Build(g.Node("Transpose", [g.Linear(g.Flatten(g.Input("image", 1, 8, 8)), "logits", 10)])).Save(folder["turned.onnx"]);
        using var teacher = new Teacher(folder["turned.onnx"]);
        using var scope = torch.NewDisposeScope();

        var refused = Assert.ThrowsExactly<UntrainableModelException>(() => teacher.Answers([torch.zeros(3, 1, 8, 8)]));

        Assert.Contains("to a batch of 3 it answers [10, 3]", refused.Message);
    }

    [TestMethod]
    public void Answers_BehindAClassAndItsProbabilities_AreThoseOfTheLogits()
    {
        using var folder = new TemporaryFolder();
        Linear(softmax: false).Save(folder["logits.onnx"]);
        var both = ClassesOnly.Of(Linear(softmax: true));
        both.Graph.Output.Add(Linear(softmax: true).Graph.Output[0]);
        both.Save(folder["both.onnx"]);

        using var scope = torch.NewDisposeScope();
        using var logits = new Teacher(folder["logits.onnx"]);
        using var teacher = new Teacher(folder["both.onnx"]);
        var inputs = torch.linspace(-1, 1, 3 * 64).reshape(3, 1, 8, 8);

        Assert.IsLessThan(SameModel, (logits.Answers([inputs]).softmax(1) - teacher.Answers([inputs]).softmax(1)).abs().max().item<float>());
        using var graph = new TrainableGraph(new LodModel(both, [], new LodProvenance()));
        Assert.IsLessThan(SameModel, (logits.Answers([inputs]).softmax(1) - graph.Logits([inputs]).softmax(1)).abs().max().item<float>());
    }

    [TestMethod]
    public void Loss_OfAModelOfClassesTaughtByAnother_IsThatOfTheScoresBehindThem()
    {
        using var folder = new TemporaryFolder();
        ClassesOnly.Of(SmallModels.Mlp.Model).Save(folder["teacher.onnx"]);
        using var teacher = new Teacher(folder["teacher.onnx"]);
        var learner = SvdFactoring.Factor(ClassesOnly.Of(BuiltInModels.Create("mlp", [1, 8, 8], 10, seed: 2)), new LodProvenance("student"));
        var task = new DistillationTask(new ClassificationTask(Images), teacher);

        var result = new Trainer(Recipes.Named(Recipes.Tune) with { Epochs = 4, BatchSize = 32 }).Train(learner, task, task);

        Assert.IsGreaterThan(0.9, task.TeacherAccuracy!.Value);
        Assert.IsGreaterThan(0.9, result.Epochs[^1].ValidationAccuracy!.Value);
        Assert.AreEqual("class", result.Model.Model.Graph.Output.Single().Name);
    }

    [TestMethod]
    public void Train_WithoutLabels_BringsAFreshModelNearItsTeacher()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["teacher.onnx"]);
        using var teacher = new Teacher(folder["teacher.onnx"]);
        var start = SvdFactoring.Factor(BuiltInModels.Create("mlp", [1, 8, 8], 10, seed: 2, new ModelSize([32])), new LodProvenance("student"));
        var (kept, held) = new UnlabelledTask("inputs", Arrays(512)).Split(0.25, seed: 1);

        var result = new Trainer(Recipes.Named(Recipes.Tune) with { Epochs = 30, BatchSize = 32, LearningRate = 0.01 })
            .Train(start, new DistillationTask(kept, teacher), new DistillationTask(held, teacher));

        Assert.IsTrue(result.Epochs.All(epoch => epoch.TrainAccuracy is null && epoch.ValidationAccuracy is null));
        Assert.IsLessThan(0.5 * result.Epochs[0].ValidationLoss!.Value, result.Epochs[^1].ValidationLoss!.Value);
    }

    [TestMethod]
    public void Task_OfNoLabelsWithAWeight_IsRefused()
    {
        using var folder = new TemporaryFolder();
        Linear(softmax: false).Save(folder["teacher.onnx"]);
        using var teacher = new Teacher(folder["teacher.onnx"]);

        Assert.Contains("--label-weight", Assert.Throws<ArgumentException>(() => new DistillationTask(new UnlabelledTask("inputs", Arrays(2)), teacher, 0.5)).Message);
        Assert.Contains("--label-weight", Assert.Throws<ArgumentException>(() => new DistillationTask(new ClassificationTask(Images), teacher, double.NaN)).Message);
    }

    /// <summary>Logits differ from the logarithms of probabilities by a constant a sample, which a squared error would see.</summary>
    [TestMethod]
    public void Loss_OfATeacherThatEndsInASoftmaxWithoutLabels_IsZeroForItself()
    {
        using var folder = new TemporaryFolder();
        var model = new LodModel(Linear(softmax: true), [], new LodProvenance());
        model.Model.Save(folder["teacher.onnx"]);
        using var teacher = new Teacher(folder["teacher.onnx"]);
        var task = new DistillationTask(new UnlabelledTask("inputs", Arrays(64)), teacher);
        task.Check(model);

        using var graph = new TrainableGraph(model);
        using var scope = torch.NewDisposeScope();
        var batch = task.Load([3, 1, 4], null);

        Assert.IsFalse(task.LearnsLogits);
        Assert.AreEqual(0, task.Loss(graph.Answer(batch.Inputs), batch, smoothing: 0).item<float>(), SameModel);
    }

    [TestMethod]
    public void Description_TwoTeachersOfOneName_AreToldApart()
    {
        using var folder = new TemporaryFolder();
        Linear(softmax: true).Save(folder["teacher.onnx"]);
        using var first = new Teacher(folder["teacher.onnx"]);
        Linear(softmax: false).Save(folder["teacher.onnx"]);
        using var second = new Teacher(folder["teacher.onnx"]);
        var task = new ClassificationTask(Images);

        Assert.AreNotEqual(new DistillationTask(task, first).Description, new DistillationTask(task, second).Description);
    }

    [TestMethod]
    public void Check_ArraysThatAreNotTheModels_AreRefusedByName()
    {
        var arrays = Arrays(2);
        var other = new UnlabelledTask("inputs", new Dictionary<string, NpyArray> { ["picture"] = arrays["image"] });
        var wide = new UnlabelledTask("inputs", new Dictionary<string, NpyArray> { ["image"] = new([2, 1, 8, 4], new float[64], "float32") });

        Assert.Contains("picture", Assert.ThrowsExactly<UntrainableModelException>(() => other.Check(SmallModels.Mlp)).Message);
        Assert.Contains("[2, 1, 8, 4]", Assert.ThrowsExactly<UntrainableModelException>(() => wide.Check(SmallModels.Mlp)).Message);
        Assert.Throws<ArgumentException>(() => new UnlabelledTask("inputs", new Dictionary<string, NpyArray>()));
    }

    static Dictionary<string, NpyArray> Arrays(int count)
    {
        var values = new float[count * Images.SampleSize];
        Images.CopySamples([.. Enumerable.Range(0, count)], values);
        return new() { ["image"] = new([count, 1, 8, 8], values, "float32") };
    }

    static OnnxModel Linear(bool softmax)
    {
        var g = new GraphBuilder("linear", seed: 1);
        var logits = g.Linear(g.Flatten(g.Input("image", 1, 8, 8)), "logits", 10);
        return g.Build(softmax ? g.Softmax(logits) : logits);
    }
}
