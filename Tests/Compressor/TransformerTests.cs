using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Compressor.Training.Optimization;
using MaestroDeploy.Compressor.Training.Tasks;
using MaestroDeploy.Data;
using MaestroDeploy.Exporter;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using static TorchSharp.torch;

namespace MaestroDeploy.Tests.Compressor;

[TestClass]
public sealed class TransformerTests
{
    const float Parity = 1e-4f; // the trainable graph's promise

    const int Words = 30;

    static readonly ModelSize Small = new(Width: 64, Depth: 2);

    [TestMethod]
    public void Create_ASmallTransformer_FactorsEveryProjectionAndTiesItsEmbedding()
    {
        var lod = Factored();

        // Two encoder blocks of Q, K, V, O, in and out; two decoder blocks with Q, K, V and O twice.
        Assert.HasCount(2 * 6 + 2 * 10, lod.Pairs);
        Assert.AreEqual(2, lod.Model.Graph.Node.Count(node => node.OpType == "Gather" && node.Input[0] == "embedding"));
        Assert.AreEqual(1, lod.Model.Graph.Node.Count(node => node.OpType == "Transpose" && node.Input[0] == "embedding"));
        Assert.AreEqual(2 * (4 + 8) * 64 * 64 + 2 * (4 + 4 + 8) * 64 * 64L, lod.Cost().Layers.Sum(layer => layer.DenseParams));
    }

    [TestMethod]
    [DataRow(1, 5, 7)]
    [DataRow(3, 9, 1)]
    public void Logits_OfAnyLengths_AreOnnxRuntimes(int rows, int source, int target)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var lod = Factored();
        lod.Save(folder["m.lod.onnx"]);
        using var graph = new TrainableGraph(lod);
        using var session = new ModelSession(folder["m.lod.onnx"]);
        long[] from = Sentence(rows * source, seed: 1), to = Sentence(rows * target, seed: 2);

        var torch = graph.Logits([tensor(from, [rows, source]), tensor(to, [rows, target])]);
        var onnx = session.RunAll(new InputTensor("source", from, rows, source), new InputTensor("target", to, rows, target))[0];

        CollectionAssert.AreEqual(new[] { rows, target, Words }, onnx.Shape);
        Assert.IsLessThan(Parity, Numbers.LargestDifference(onnx.Values, torch.contiguous().data<float>().ToArray()));
    }

    [TestMethod]
    public void Logits_OfAWord_DoNotDependOnLaterOnesNorOnPadding()
    {
        using var scope = NewDisposeScope();
        using var graph = new TrainableGraph(Factored());

        var whole = graph.Logits([tensor(new long[] { 5, 6, 2, 0, 0 }, [1, 5]), tensor(new long[] { 1, 7, 8, 9 }, [1, 4])])[0, ..2];
        var part = graph.Logits([tensor(new long[] { 5, 6, 2 }, [1, 3]), tensor(new long[] { 1, 7 }, [1, 2])])[0];

        Assert.IsLessThan(Parity, Numbers.LargestDifference(part.contiguous().data<float>().ToArray(), whole.contiguous().data<float>().ToArray()));
    }

    [TestMethod]
    public void Train_OnSentencesReversed_LearnsThemAndExportsAFamilyThatDecodes()
    {
        using var folder = new TemporaryFolder();
        var text = Reversals(folder);
        var options = new TrainingOptions
        {
            Epochs = 12,
            BatchSize = 32,
            Optimizer = OptimizerKind.AdamW,
            LearningRate = 2e-3,
            WarmUp = 0.1,
            SmallestShare = 0.25,
            DenseShare = 0.5,
        };
        var start = new LodModel(BuiltInModels.CreateTranslator("transformer", text.Vocabulary.Count, 1, new ModelSize(Width: 64, Depth: 1)), [], new LodProvenance());

        var trained = new Trainer(options).Train(start, new TranslationTask(text.Train, text.Vocabulary.Count)).Model;
        trained.Save(folder["m.lod.onnx"]);
        var manifest = new FamilyExporter(new ExportOptions { Budgets = [new Budget(1), new Budget(0.6)] })
            .Export(folder["m.lod.onnx"], folder["family"], new TranslatedSentences(text));

        Assert.IsTrue(manifest.Variants.All(variant => variant.Perplexity < text.Vocabulary.Count / 3.0), string.Join(", ", manifest.Variants.Select(variant => variant.Perplexity)));
        using var session = new ModelSession(folder["family/b60.onnx"]);
        var written = new GreedyDecoder(session, Vocabulary.Begin, Vocabulary.End).Decode([.. text.Test.Source(0).ToArray().Select(word => (long)word)], most: 20);
        Assert.IsNotEmpty(written);
        Assert.IsLessThanOrEqualTo(20, written.Count);
    }

    static LodModel Factored() => SvdFactoring.Factor(BuiltInModels.CreateTranslator("transformer", Words, 1, Small), new LodProvenance());

    static long[] Sentence(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextInt64(4, Words))];
    }

    /// <summary>Short sentences of twelve words, their translation being the same words in another language, the last first.</summary>
    static ParallelText Reversals(TemporaryFolder folder)
    {
        var random = new Random(1);
        foreach (var (split, count) in new[] { ("train", 1200), ("val", 50), ("test", 50) })
        {
            var sentences = Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, random.Next(2, 6)).Select(_ => random.Next(12)).ToArray()).ToArray();
            File.WriteAllLines(folder[$"{split}.aa"], sentences.Select(words => string.Join(' ', words.Select(word => $"a{word}"))));
            File.WriteAllLines(folder[$"{split}.bb"], sentences.Select(words => string.Join(' ', words.Reverse().Select(word => $"b{word}"))));
        }

        return ParallelText.Load($"text:{folder[""].TrimEnd('/')}:aa-bb");
    }
}
