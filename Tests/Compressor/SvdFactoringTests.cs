using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Tests.Compressor;

[TestClass]
public sealed class SvdFactoringTests
{
    // maestro.md, item 7: outputs after the SVD stay within 1e-5 in float32.
    const float InitialError = 1e-5f;

    [TestMethod]
    [DataRow("mlp", 1, 8)]
    [DataRow("lenet", 1, 28)]
    [DataRow("vgg11", 3, 32)]
    public void Factor_ABuiltInModel_LeavesItsOutputs(string name, int channels, int size)
    {
        var model = BuiltInModels.Create(name, [channels, size, size], 10, seed: 1);
        var input = Numbers.Uniform(2 * channels * size * size);
        var expected = OrtRunner.Run(model, input, 2, channels, size, size);

        var lod = SvdFactoring.Factor(model, new LodProvenance());

        Assert.IsLessThan(InitialError, Numbers.LargestDifference(expected, OrtRunner.Run(lod.Model, input, 2, channels, size, size)));
    }

    [TestMethod]
    public void Factor_AConvolution_HoldsRankMajorFactors()
    {
        var g = new GraphBuilder("conv", seed: 2);
        var lod = SvdFactoring.Factor(g.Build(g.Conv(g.Input("x", 16, 8, 8), "conv", channels: 32, kernel: 3, stride: 2)), new LodProvenance());

        CollectionAssert.AreEqual(new long[] { 32, 16, 3, 3 }, lod.Model.Initializer("conv.v")!.Dims.ToArray());
        CollectionAssert.AreEqual(new long[] { 32, 32, 1, 1 }, lod.Model.Initializer("conv.u")!.Dims.ToArray());
    }

    [TestMethod]
    public void Factor_AnyLayer_OrdersComponentsByImportance()
    {
        var g = new GraphBuilder("fc", seed: 2);
        var lod = SvdFactoring.Factor(g.Build(g.Linear(g.Input("x", 20), "fc", 12)), new LodProvenance());
        var v = lod.Model.Floats(lod.Model.Initializer("fc.v")!);

        var norms = v.Chunk(20).Select(row => row.Sum(value => (double)value * value)).ToArray();

        CollectionAssert.AreEqual(norms.OrderDescending().ToArray(), norms);
    }

    [TestMethod]
    public void Factor_NothingToFactor_SaysWhy()
    {
        var g = new GraphBuilder("none");

        var error = Assert.ThrowsExactly<OnnxFormatException>(() => SvdFactoring.Factor(g.Build(g.Relu(g.Input("x", 4))), new LodProvenance()));

        StringAssert.Contains(error.Message, "none of its weights can be factored");
    }
}
