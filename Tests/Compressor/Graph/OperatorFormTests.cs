namespace MaestroDeploy.Tests.Compressor.Graph;

/// <summary>Forms of operators that ONNX's own tests of 2022 do not have, held against ONNX Runtime.</summary>
[TestClass]
public sealed class OperatorFormTests
{
    const float Parity = 1e-4f; // the design's; the numbers here are of the order of 1

    static readonly Dictionary<string, Func<OneNode>> Forms = new()
    {
        ["average pool: ceil_mode, counted pads"] = () => new OneNode("AveragePool", 22).In(2, 3, 10, 7).With("kernel_shape", [3, 3]).With("strides", [2, 2]).With("pads", [1, 1, 1, 1]).With("ceil_mode", 1).With("count_include_pad", 1),
        ["average pool: ceil_mode, uneven pads"] = () => new OneNode("AveragePool", 22).In(1, 2, 11, 8).With("kernel_shape", [3, 4]).With("strides", [2, 3]).With("pads", [0, 1, 2, 3]).With("ceil_mode", 1),
        ["average pool: uneven pads, counted"] = () => new OneNode("AveragePool", 11).In(1, 2, 11, 8).With("kernel_shape", [3, 4]).With("strides", [2, 3]).With("pads", [0, 1, 2, 3]).With("count_include_pad", 1),
        ["average pool: SAME_LOWER over one axis"] = () => new OneNode("AveragePool", 11).In(1, 2, 9).With("kernel_shape", [4]).With("strides", [2]).With("auto_pad", "SAME_LOWER"),
        ["max pool: ceil_mode, uneven pads, dilations"] = () => new OneNode("MaxPool", 12).In(2, 3, 14, 13).With("kernel_shape", [3, 2]).With("strides", [3, 2]).With("pads", [0, 1, 2, 0]).With("dilations", [2, 3]).With("ceil_mode", 1),
        ["max pool: SAME_UPPER over three axes"] = () => new OneNode("MaxPool", 12).In(1, 2, 5, 6, 7).With("kernel_shape", [2, 3, 2]).With("strides", [2, 2, 2]).With("auto_pad", "SAME_UPPER"),
        ["lp pool"] = () => new OneNode("LpPool", 11).In(1, 2, 8, 8).With("kernel_shape", [3, 3]).With("strides", [2, 2]).With("pads", [1, 0, 1, 0]).With("p", 3),
        ["global lp pool"] = () => new OneNode("GlobalLpPool", 2).In(2, 3, 4, 5),
        ["conv: one axis, groups, SAME_LOWER"] = () => new OneNode("Conv", 11).In(2, 4, 13).Weight(6, 2, 4).Weight(6).With("group", 2).With("strides", [2]).With("auto_pad", "SAME_LOWER"),
        ["conv: three axes, uneven pads"] = () => new OneNode("Conv", 11).In(1, 2, 5, 6, 7).Weight(3, 2, 2, 3, 2).With("pads", [0, 1, 2, 1, 0, 1]).With("strides", [1, 2, 2]),
        ["conv transpose: groups, output_padding, uneven pads"] = () => new OneNode("ConvTranspose", 11).In(2, 4, 5, 6).Weight(4, 3, 3, 3).Weight(6).With("group", 2).With("strides", [2, 2]).With("pads", [1, 0, 0, 1]).With("output_padding", [1, 1]),
        ["conv transpose: output_shape, SAME_UPPER"] = () => new OneNode("ConvTranspose", 11).In(1, 2, 5, 6).Weight(2, 3, 3, 3).With("strides", [2, 2]).With("output_shape", [10, 12]).With("auto_pad", "SAME_UPPER"),
        ["conv transpose: SAME_LOWER over one axis"] = () => new OneNode("ConvTranspose", 11).In(1, 2, 6).Weight(2, 3, 4).With("strides", [3]).With("auto_pad", "SAME_LOWER"),
        ["gemm: transposed, scaled, with a scalar"] = () => new OneNode("Gemm", 13).In(4, 3).In(5, 4).Floats(0.5f).With("transA", 1).With("transB", 1).With("alpha", 0.5f).With("beta", 2f),
        ["einsum: an ellipsis"] = () => new OneNode("Einsum", 12).In(2, 3, 4, 5).In(2, 3, 6, 5).With("equation", "...id,...jd->...ij"),
        ["matmul: a vector"] = () => new OneNode("MatMul", 13).In(2, 3, 4).In(4),
        ["group norm of opset 18"] = () => new OneNode("GroupNormalization", 18).In(2, 6, 4, 5).Weight(3).Weight(3).With("num_groups", 3),
        ["group norm of opset 21"] = () => new OneNode("GroupNormalization", 21).In(2, 6, 4, 5).Weight(6).Weight(6).With("num_groups", 3),
        ["layer norm: a broadcast scale, and statistics"] = () => new OneNode("LayerNormalization", 17).In(2, 3, 4).Weight(3, 4).Weight(3, 4).With("axis", 1).Outputs(3),
        ["instance norm over one axis"] = () => new OneNode("InstanceNormalization", 6).In(2, 3, 9).Weight(3).Weight(3),
        ["local response norm"] = () => new OneNode("LRN", 13).In(2, 7, 3, 3).With("size", 5).With("alpha", 0.5f),
        ["lp norm of order 1"] = () => new OneNode("LpNormalization", 1).In(2, 3, 4).With("axis", 1).With("p", 1),
        ["mean-variance norm"] = () => new OneNode("MeanVarianceNormalization", 13).In(2, 3, 4, 5).With("axes", [2, 3]),
        ["gelu"] = () => new OneNode("Gelu", 20).In(3, 4),
        ["gelu by tanh"] = () => new OneNode("Gelu", 20).In(3, 4).With("approximate", "tanh"),
        ["swish"] = () => new OneNode("Swish", 24).In(3, 4).With("alpha", 1.5f),
        ["mish"] = () => new OneNode("Mish", 18).In(3, 4),
        ["hard sigmoid"] = () => new OneNode("HardSigmoid", 6).In(3, 4).With("alpha", 0.7f).With("beta", 0.4f),
        ["selu"] = () => new OneNode("Selu", 6).In(3, 4).With("alpha", 1.5f).With("gamma", 2f),
        ["shrink"] = () => new OneNode("Shrink", 9).In(3, 4).With("bias", 0.25f).With("lambd", 0.5f),
        ["softmax of opset 11: all axes from 1 on"] = () => new OneNode("Softmax", 11).In(2, 3, 4),
        ["log softmax of opset 11: from axis 0 on"] = () => new OneNode("LogSoftmax", 11).In(2, 3, 4).With("axis", 0),
        ["hardmax"] = () => new OneNode("Hardmax", 13).In(2, 3, 4).With("axis", 1),
        ["clip by attributes"] = () => new OneNode("Clip", 6).In(3, 4).With("min", -0.25f).With("max", 0.5f),
        ["split: as many as asked, not even"] = () => new OneNode("Split", 18).In(7, 2).With("num_outputs", 3).Outputs(3),
        ["split: sizes as an attribute"] = () => new OneNode("Split", 11).In(2, 7).With("axis", 1).With("split", [2, 5]).Outputs(2),
        ["squeeze and axes as an attribute"] = () => new OneNode("Squeeze", 11).In(1, 3, 1, 2).With("axes", [-2]),
        ["slice of opset 9"] = () => new OneNode("Slice", 9).In(4, 5, 6).With("starts", [1, -3]).With("ends", [-1, 2147483647]).With("axes", [0, 2]),
        ["slice: backwards"] = () => new OneNode("Slice", 13).In(4, 9).Longs(-1, 7).Longs(long.MinValue, 1).Longs(0, 1).Longs(-1, -3),
        ["pad: reflect, an axis by name"] = () => new OneNode("Pad", 18).In(2, 3, 5).Longs(2, 3).Nothing().Longs(-1).With("mode", "reflect"),
        ["pad: edge, and cut"] = () => new OneNode("Pad", 13).In(2, 3, 5).Longs(0, 1, 2, 0, 2, -1).With("mode", "edge"),
        ["pad: wrap"] = () => new OneNode("Pad", 19).In(2, 3, 5).Longs(0, 1, 2, 0, 2, 3).With("mode", "wrap"),
        ["pad: a value, and cut"] = () => new OneNode("Pad", 13).In(2, 3, 5).Longs(0, 1, -2, 1, 0, 2).Floats(0.5f),
        ["top k of opset 9"] = () => new OneNode("TopK", 9).In(3, 7).With("k", 3).Outputs(2),
        ["top k: smallest"] = () => new OneNode("TopK", 11).In(3, 7).Longs(2).With("largest", 0).With("axis", 0).Outputs(2),
        ["arg max: the last of equals"] = () => new OneNode("ArgMax", 13).In(3, 7).With("axis", 1).With("select_last_index", 1).With("keepdims", 0),
        ["arg min"] = () => new OneNode("ArgMin", 13).In(3, 7),
        ["gather: from the end"] = () => new OneNode("Gather", 13).In(3, 5, 2).Longs([2, 2], 0, -1, 4, -5).With("axis", 1),
        ["gather nd: a shared axis"] = () => new OneNode("GatherND", 13).In(2, 3, 4).Longs([2, 2, 1], 0, -1, 1, 1).With("batch_dims", 1),
        ["scatter elements: add"] = () => new OneNode("ScatterElements", 16).In(3, 4).Longs([1, 4], 0, -1, 0, 1).In(1, 4).With("reduction", "add"),
        ["scatter nd: add"] = () => new OneNode("ScatterND", 16).In(4, 3).Longs([3, 1], 0, 0, -1).In(3, 3).With("reduction", "add"),
        ["cumulative sum: exclusive, backwards"] = () => new OneNode("CumSum", 14).In(3, 5).Longs([], 1).With("exclusive", 1).With("reverse", 1),
        ["depth to space: columns first"] = () => new OneNode("DepthToSpace", 13).In(2, 8, 3, 4).With("blocksize", 2).With("mode", "CRD"),
        ["expand: both ways"] = () => new OneNode("Expand", 13).In(3, 1, 4).Longs(2, 1, 5, 1),
        ["trilu: below a diagonal"] = () => new OneNode("Trilu", 14).In(2, 4, 5).Longs([], -1).With("upper", 0),
        ["power: a fraction"] = () => new OneNode("Pow", 13).In(3, 4).Floats(3f),
        ["mod: of the dividend's sign"] = () => new OneNode("Mod", 13).In(3, 4).Floats(0.3f).With("fmod", 1),
        ["reshape: copied and open sizes"] = () => new OneNode("Reshape", 14).In(2, 3, 4).Longs(0, -1, 2),
    };

    public static IEnumerable<string[]> Names => Forms.Keys.Select(name => new[] { name });

    public static IEnumerable<string[]> Reductions => [["ReduceL1"], ["ReduceL2"], ["ReduceLogSumExp"], ["ReduceMax"], ["ReduceMean"], ["ReduceMin"], ["ReduceProd"], ["ReduceSum"], ["ReduceSumSquare"]];

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void Outputs_EachForm_AgreeWithOnnxRuntime(string form) => AssertAgrees(Forms[form]());

    [TestMethod]
    [DynamicData(nameof(Reductions))]
    public void Outputs_EachReduction_AgreesWithOnnxRuntimeByAttributeAndByInput(string reduction)
    {
        var (byAttribute, byInput) = (reduction == "ReduceSum" ? 11 : 17, 18);
        AssertAgrees(new OneNode(reduction, byAttribute).In(2, 3, 4).With("axes", [0, -1]));
        AssertAgrees(new OneNode(reduction, byAttribute).In(2, 3, 4).With("keepdims", 0));
        AssertAgrees(new OneNode(reduction, byInput).In(2, 3, 4).Longs(1, -1).With("keepdims", 0));
        AssertAgrees(new OneNode(reduction, byInput).In(2, 3, 4).Longs(-2));
        AssertAgrees(new OneNode(reduction, byInput).In(2, 3, 4));
    }

    [TestMethod]
    [DataRow("nearest", "half_pixel")]
    [DataRow("nearest", "asymmetric")]
    [DataRow("nearest", "align_corners")]
    [DataRow("nearest", "pytorch_half_pixel")]
    [DataRow("linear", "half_pixel")]
    [DataRow("linear", "asymmetric")]
    [DataRow("linear", "align_corners")]
    [DataRow("linear", "pytorch_half_pixel")]
    [DataRow("linear", "half_pixel_symmetric")]
    [DataRow("cubic", "half_pixel")]
    [DataRow("cubic", "align_corners")]
    public void Outputs_Resize_AgreesWithOnnxRuntimeByScalesAndBySizes(string mode, string coordinates)
    {
        foreach (var (height, width) in new[] { (2f, 3f), (0.6f, 0.6f), (1.7f, 0.5f) })
        {
            AssertAgrees(new OneNode("Resize", 19).In(1, 2, 6, 5).Nothing().Floats(1, 1, height, width).With("mode", mode).With("coordinate_transformation_mode", coordinates));
        }

        foreach (var (height, width) in new[] { (12, 15), (3, 1), (7, 4) })
        {
            AssertAgrees(new OneNode("Resize", 19).In(1, 2, 6, 5).Nothing().Nothing().Longs(1, 2, height, width).With("mode", mode).With("coordinate_transformation_mode", coordinates));
        }
    }

    [TestMethod]
    [DataRow("Upsample", 9)]
    [DataRow("Resize", 10)]
    public void Outputs_ScalesOfBeforeOpset11_AgreeWithOnnxRuntime(string operation, int opset)
    {
        AssertAgrees(new OneNode(operation, opset).In(1, 2, 4, 5).Floats(1, 1, 2, 3).With("mode", "nearest"));
        AssertAgrees(new OneNode(operation, opset).In(1, 2, 4, 5).Floats(1, 1, 2, 3).With("mode", "linear"));
    }

    static void AssertAgrees(OneNode node)
    {
        var (expected, actual) = (node.InOnnxRuntime(), node.InTorch());

        Assert.HasCount(expected.Length, actual);
        foreach (var (theirs, ours) in expected.Zip(actual))
        {
            CollectionAssert.AreEqual(theirs.Shape, ours.Shape);
            Assert.IsLessThan(Parity, Numbers.LargestDifference(theirs.Values, ours.Values));
        }
    }
}
