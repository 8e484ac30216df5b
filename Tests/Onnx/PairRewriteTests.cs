using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Tests.Onnx;

[TestClass]
public sealed class PairRewriteTests
{
    // Merging sums in another order than the two products do; outputs here are of the order of 1.
    const float Rounding = 1e-5f;

    [TestMethod]
    [DataRow("gemm")]
    [DataRow("gemm, weight [in, out]")]
    [DataRow("matmul on two axes")]
    [DataRow("matmul on three axes")]
    [DataRow("conv, strided and padded")]
    public void FactorThenMerge_EachKindOfLayer_LeavesTheOutputs(string kind)
    {
        var (model, shape) = Layer(kind);
        var input = Numbers.Uniform((int)shape.Aggregate(1L, (a, b) => a * b));
        var expected = OrtRunner.Run(model, input, shape);

        var lod = SvdFactoring.Factor(model, new LodProvenance());

        Assert.IsLessThan(Rounding, Numbers.LargestDifference(expected, OrtRunner.Run(lod.Model, input, shape)), "factored");
        Assert.IsLessThan(Rounding, Numbers.LargestDifference(expected, OrtRunner.Run(Merged(lod), input, shape)), "merged");
    }

    [TestMethod]
    public void Truncate_ToARank_EqualsZeroingTheRest()
    {
        var (model, shape) = Layer("conv, strided and padded");
        var lod = SvdFactoring.Factor(model, new LodProvenance());
        var cut = lod.Model.Clone();
        var zeroed = lod.Model.Clone();
        var pair = lod.Pairs[0];
        var input = Numbers.Uniform((int)shape.Aggregate(1L, (a, b) => a * b));

        PairRewrite.Truncate(cut, pair, 2);
        var v = zeroed.Initializer(pair.V)!;
        var values = zeroed.Floats(v);
        values.AsSpan(2 * pair.In).Clear();
        zeroed.ReplaceInitializer(TensorValues.Create(pair.V, [.. v.Dims], values));

        Assert.IsLessThan(Rounding, Numbers.LargestDifference(OrtRunner.Run(zeroed, input, shape), OrtRunner.Run(cut, input, shape)));
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(6)]
    public void Truncate_ToARankThatThereIsNot_IsRefused(int rank)
    {
        var lod = SvdFactoring.Factor(Layer("gemm").Model, new LodProvenance());

        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => PairRewrite.Truncate(lod.Model, lod.Pairs[0], rank));
    }

    [TestMethod]
    public void Find_WeightsThatCannotBeFactored_AreNamedWithTheReason()
    {
        var (model, _) = Layer("conv, strided and padded");
        model.Graph.Node[0].With("group", 2);

        var found = WeightLayers.Find(model, out var skipped);

        Assert.IsEmpty(found);
        Assert.AreEqual("it has 2 groups", skipped.Single().Why);
    }

    [TestMethod]
    public void BreakEven_OfAPair_IsTheLargestRankThatSaves()
    {
        var pair = new FactorPair("fc", LayerKind.Linear, "u", "v", [6, 3]);

        Assert.AreEqual(1, pair.BreakEven); // 2·(6 + 3) = 18 = 6·3: no saving at rank 2
    }

    static OnnxModel Merged(LodModel lod)
    {
        var merged = lod.CloneUnlabelled();
        foreach (var pair in lod.Pairs)
        {
            PairRewrite.Merge(merged, pair, "merged");
            merged.Graph.Initializer.Add(TensorValues.Create("merged", PairRewrite.DenseDims(pair), PairRewrite.DenseValues(pair, pair.Product(lod.Model))));
        }

        return merged;
    }

    static (OnnxModel Model, long[] Shape) Layer(string kind)
    {
        var g = new GraphBuilder("layer", seed: 5);
        switch (kind)
        {
            case "gemm":
                return (g.Build(g.Linear(g.Input("x", 12), "fc", 5)), [3, 12]);
            case "gemm, weight [in, out]":
                var model = g.Build(g.Linear(g.Input("x", 12), "fc", 5));
                var node = model.Graph.Node[0].With("transB", 0);
                model.Graph.Initializer[0] = TensorValues.Create(node.Input[1], [12, 5], Numbers.Uniform(60));
                return (model, [3, 12]);
            case "matmul on two axes":
                return (g.Build(g.MatMul(g.Input("x", 12), "fc", 5)), [3, 12]);
            case "matmul on three axes":
                return (g.Build(g.MatMul(g.Input("x", 4, 12), "fc", 5)), [3, 4, 12]);
            default:
                return (g.Build(g.Conv(g.Input("x", 4, 9, 9), "conv", channels: 6, kernel: 3, stride: 2, pad: 1)), [2, 4, 9, 9]);
        }
    }
}
