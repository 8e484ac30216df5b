using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.LowRank;
using static TorchSharp.torch;

namespace MaestroDeploy.Tests.Compressor;

/// <summary>A layer of rank 0 is its bias: maestro.md, item 11.</summary>
[TestClass]
public sealed class ZeroRankTests
{
    [TestMethod]
    public void Shrink_ToNothing_LeavesTheBiasInTheFullShape()
    {
        using var scope = NewDisposeScope();
        using var graph = new TrainableGraph(Model());
        var (conv, linear) = (graph.Weights["conv.bias"].data<float>().ToArray(), graph.Weights["linear.bias"].data<float>().ToArray());

        graph.Shrink(0, 0);
        graph.Shrink(1, 0);
        var features = graph.Forward(Input());

        CollectionAssert.AreEqual(new long[] { 2, 4 }, features.shape);
        CollectionAssert.AreEqual(linear.Concat(linear).ToArray(), features.data<float>().ToArray());
        Assert.HasCount(6, conv);
        CollectionAssert.AreEqual(new[] { 0, 0 }, graph.Ranks.ToArray());
    }

    [TestMethod]
    public void Shrink_AConvolutionToNothing_GivesItsBiasAtEveryPosition()
    {
        using var scope = NewDisposeScope();
        using var graph = new TrainableGraph(ConvolutionOnly());
        var bias = graph.Weights["conv.bias"].data<float>().ToArray();

        graph.Shrink(0, 0);
        var answer = graph.Forward(Input());

        CollectionAssert.AreEqual(new long[] { 2, 6, 4, 4 }, answer.shape);
        CollectionAssert.AreEqual(Enumerable.Range(0, 2).SelectMany(_ => bias.SelectMany(value => Enumerable.Repeat(value, 16))).ToArray(), answer.contiguous().data<float>().ToArray());
    }

    [TestMethod]
    public void ToModel_AfterShrinking_KeepsRanksAndOutputsThroughAFile()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var graph = new TrainableGraph(Model());
        graph.Shrink(0, 0);
        graph.Shrink(1, 3);
        var path = Path.Combine(folder.Path, "model.lod.onnx");

        graph.ToModel(new LodProvenance()).Save(path);
        using var loaded = new TrainableGraph(LodModel.Load(path));

        CollectionAssert.AreEqual(new[] { 0, 3 }, loaded.Ranks.ToArray());
        var file = LodModel.Load(path);
        CollectionAssert.AreEqual(new[] { (1, 0), (3, 3) }, file.Pairs.Select(pair => (pair.Rank(file.Model), pair.TrueRank(file.Model))).ToArray());
        Assert.AreEqual(0, Numbers.LargestDifference(graph.Forward(Input()).data<float>().ToArray(), loaded.Forward(Input()).data<float>().ToArray()));
        // And the file runs as it is in ONNX Runtime; rounding apart, it gives the same.
        using var session = new MaestroDeploy.Runtime.ModelSession(path);
        Assert.IsLessThan(1e-5f, Numbers.LargestDifference(graph.Forward(Input()).data<float>().ToArray(), session.Run(Values(), 2, 3, 8, 8)));
    }

    [TestMethod]
    public void Forward_WithALayerRemoved_StillTrainsTheOthers()
    {
        using var scope = NewDisposeScope();
        using var graph = new TrainableGraph(Model());
        graph.Shrink(1, 0);

        graph.Forward(Input(), [2, 0], ForwardMode.TrainFull).sum().backward();

        Assert.IsNull(graph.Weights[graph.Pairs[1].U].grad);
        Assert.IsNotNull(graph.Weights["linear.bias"].grad);
    }

    static LodModel Model()
    {
        var g = new GraphBuilder("small", seed: 1);
        var x = g.Relu(g.Conv(g.Input("image", 3, 8, 8), "conv", channels: 6, kernel: 3, stride: 2, pad: 1));
        return SvdFactoring.Factor(g.Build(g.Linear(g.Flatten(x), "linear", 4)), new LodProvenance());
    }

    static LodModel ConvolutionOnly()
    {
        var g = new GraphBuilder("small", seed: 1);
        return SvdFactoring.Factor(g.Build(g.Conv(g.Input("image", 3, 8, 8), "conv", channels: 6, kernel: 3, stride: 2, pad: 1)), new LodProvenance());
    }

    static float[] Values() => Numbers.Uniform(2 * 3 * 8 * 8);

    static Tensor Input() => tensor(Values(), [2, 3, 8, 8]);
}
