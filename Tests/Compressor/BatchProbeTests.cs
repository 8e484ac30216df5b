using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;

namespace MaestroDeploy.Tests.Compressor;

[TestClass]
public sealed class BatchProbeTests
{
    static readonly CalibrationInputs Random = (session, largestBatch) => new RandomInputs().Calibration(session, 4, largestBatch).Select(batch => batch.Inputs);

    [TestMethod]
    [DataRow(new long[] { 1 }, true, DisplayName = "by each sample's own largest number")]
    [DataRow(new long[] { 0, 1 }, false, DisplayName = "by the largest of all samples")]
    public void Open_AModelThatDividesByALargestNumber_IsOpenWhereSamplesStayApart(long[] axes, bool opens)
    {
        var g = new GraphBuilder("largest", seed: 1);
        var x = g.Input("x", 16);
        var largest = new Value(g.Node("ReduceMax", [g.Node("Abs", [x])], node => node.With("axes", axes)).Name, [1, 1]);
        var model = g.Build(g.Linear(new Value(g.Node("Div", [x, largest]).Name, [1, 16]), "fc", 4));
        FixBatch(model);

        var opened = BatchProbe.Open(model, Random);

        Assert.AreEqual(opens, !opened.Graph.Input[0].Type.TensorType.Shape.Dim[0].HasDimValue);
    }

    /// <summary>ONNX Runtime takes axes of one name for one size, and so does a profile.</summary>
    [TestMethod]
    public void Open_AnAxisIsCalledAsTheBatchWouldBe_StaysAnotherAxis()
    {
        var g = new GraphBuilder("points", seed: 1);
        var model = g.Build(g.MatMul(g.Input("points", 5, 8), "fc", 4));
        FixBatch(model);
        var axes = model.Graph.Input[0].Type.TensorType.Shape.Dim;
        axes[1] = new() { DimParam = "N" };
        model.Graph.Output[0].Type.TensorType.Shape.Dim[1] = axes[1].Clone();

        var opened = BatchProbe.Open(model, Random).Graph.Input[0].Type.TensorType.Shape.Dim;

        Assert.IsFalse(opened[0].HasDimValue);
        Assert.AreEqual("N", opened[1].DimParam);
        Assert.AreNotEqual("N", opened[0].DimParam);
    }

    static void FixBatch(OnnxModel model)
    {
        foreach (var value in model.Graph.Input.Concat(model.Graph.Output))
        {
            value.Type.TensorType.Shape.Dim[0] = new() { DimValue = 1 };
        }
    }
}
