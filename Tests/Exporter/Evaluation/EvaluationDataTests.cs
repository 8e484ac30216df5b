using MaestroDeploy.Data;
using MaestroDeploy.Exporter;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.Protos;
using MaestroDeploy.Runtime;
using MaestroDeploy.Tests.Runtime;

namespace MaestroDeploy.Tests.Exporter.Evaluation;

/// <summary>Samples in batches that graphs take: of a fixed batch always whole ones, and never none.</summary>
[TestClass]
public sealed class EvaluationDataTests
{
    const int Classes = 4;

    [TestMethod]
    [DataRow("labelled", 600)]
    [DataRow("unlabelled", 600)]
    [DataRow("random", 300)]
    public void Batches_OfAGraphWhoseBatchIsLargerThanAskedFor_AreWholeAndOneAtLeast(string kind, int available)
    {
        using var graph = new Graph(batch: 300);
        var data = Data(kind, available);

        foreach (var batches in new[] { data.Check(graph.Session, 256), data.Calibration(graph.Session, 1), data.Probe(graph.Session, 4) })
        {
            Assert.AreEqual(300, batches.Single().Samples);
        }
    }

    [TestMethod]
    public void Batches_OfAGraphOfAFixedBatch_LeaveTheRestOut()
    {
        using var graph = new Graph(batch: 64);
        var data = Data("labelled", 200);

        Assert.AreEqual(3 * 64, data.Check(graph.Session, 256).Sum(batch => batch.Samples));
        Assert.AreEqual(2 * 64, data.Probe(graph.Session, 150).Sum(batch => batch.Samples));
        Assert.AreEqual(3 * 64, data.Measure(graph.Session)!.Samples);
    }

    [TestMethod]
    [DataRow("labelled")]
    [DataRow("unlabelled")]
    public void Batches_FewerSamplesThanTheGraphsBatch_AreRefusedWithBothNumbers(string kind)
    {
        using var graph = new Graph(batch: 300);
        var data = Data(kind, available: 200);

        var refused = Assert.ThrowsExactly<ExportException>(() => data.Check(graph.Session, 256).ToList());

        Assert.Contains("batches of 300", refused.Message);
        Assert.Contains("200 samples", refused.Message);
    }

    [TestMethod]
    public void Measure_FewerTestSamplesThanTheGraphsBatch_IsRefusedAndNoAccuracyOfNothing()
    {
        using var graph = new Graph(batch: 300);

        Assert.Contains("some/test has 20 samples", Assert.ThrowsExactly<ExportException>(() => Labelled(train: 600, test: 20).Measure(graph.Session)).Message);
    }

    [TestMethod]
    public void Random_AnInputOfMoreNumbersThanMemoryHolds_IsRefusedByName()
    {
        using var graph = new Graph(batch: 1 << 28);

        Assert.Contains("x float32", Assert.ThrowsExactly<ExportException>(() => new RandomInputs().Check(graph.Session, 1).ToList()).Message);
    }

    [TestMethod]
    public void Probe_OfUnlabelledInputs_TakesThoseThatAreCalibratedOnLast()
    {
        using var graph = new Graph(batch: 1);
        var data = new UnlabelledInputs("some", new Dictionary<string, NpyArray> { ["x"] = new([5, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "float32") });

        Assert.AreEqual("6 7 8 9", Numbers(data.Probe(graph.Session, 2)));
        Assert.AreEqual("0 1 2 3", Numbers(data.Calibration(graph.Session, 2)));
        Assert.AreEqual("0 1 2 3 4 5 6 7 8 9", Numbers(data.Probe(graph.Session, 9)));

        static string Numbers(IEnumerable<EvaluationBatch> batches) => string.Join(' ', batches.SelectMany(batch => batch.Inputs[0].ToBytes().ToArray().Chunk(4).Select(bytes => BitConverter.ToSingle(bytes))));
    }

    [TestMethod]
    public void Run_ClassesWhereScoresAreWanted_SaysWhatTheGraphShouldGive()
    {
        using var session = new ModelSession("classes", TinyModel.Same(elementType: 7), new SessionSettings { Threads = 1 }); // 7: int64
        var batch = new EvaluationBatch(1, [new InputTensor("x", [3L], 1)]);

        Assert.Contains("what its last ArgMax takes", Assert.ThrowsExactly<ExportException>(() => Labelled(1, 1).Run(session, batch)).Message);
        CollectionAssert.AreEqual(new float[] { 3 }, new RandomInputs().Run(session, batch).Single().Values);
    }

    [TestMethod]
    public void Perplexity_OfScoresThatRuleTheRightWordsOut_IsTheLargestThatCanBeWritten()
    {
        using var folder = new TemporaryFolder();
        var vocabulary = Vocabulary.FromLines(["a b"], minCount: 1);
        var size = vocabulary.Count;
        var g = new GraphBuilder("translator");
        g.Words("source");
        var scores = g.Node("Gather", [g.Constant("table", [size, size], [.. Enumerable.Range(0, size * size).Select(i => i % size == 0 ? 1e9f : 0)]), g.Words("target")]);
        g.Build(scores, "target_length").Save(folder["translator.onnx"]);
        var pairs = new TokenPairs("two/test", [[1, 2]], [[1, 2]], leftOut: 0);

        using var session = new ModelSession(folder["translator.onnx"]);
        var quality = new TranslatedSentences(new ParallelText("two", pairs, pairs, pairs, vocabulary)).Measure(session);

        Assert.AreEqual((0, double.MaxValue, 1), (quality.Accuracy, quality.Perplexity, quality.Samples));
    }

    static EvaluationData Data(string kind, int available) => kind switch
    {
        "labelled" => Labelled(available, available),
        "unlabelled" => new UnlabelledInputs("some", new Dictionary<string, NpyArray> { ["x"] = new([available, 2], new float[2 * available], "float32") }),
        _ => new RandomInputs(),
    };

    static LabelledSamples Labelled(int train, int test) => new(new DataSet("some", Samples("train", train), Samples("test", test), "none"));

    static SampleSet Samples(string split, int count) =>
        SampleSet.FromFloats($"some/{split}", [2], Classes, Numbers.Uniform(2 * count), [.. Enumerable.Range(0, count).Select(i => i % Classes)]);

    /// <summary>A linear layer <c>x [batch, 2]</c> to <c>[batch, 4]</c>, loaded.</summary>
    sealed class Graph : IDisposable
    {
        readonly TemporaryFolder _folder = new();

        public Graph(int batch)
        {
            var g = new GraphBuilder("fixed", seed: 1);
            var model = g.Build(g.Linear(g.Input("x", 2), "fc", Classes));
            foreach (var value in (ValueInfoProto[])[model.Graph.Input[0], model.Graph.Output[0]])
            {
                value.Type.TensorType.Shape.Dim[0] = new TensorShapeProto.Types.Dimension { DimValue = batch };
            }

            model.Save(_folder["fixed.onnx"]);
            Session = new ModelSession(_folder["fixed.onnx"], new SessionSettings { Threads = 1 });
        }

        public ModelSession Session { get; }

        public void Dispose()
        {
            Session.Dispose();
            _folder.Dispose();
        }
    }
}
