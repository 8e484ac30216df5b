using System.Globalization;
using System.Text;
using MaestroDeploy.Compressor.Graph;

namespace MaestroDeploy.Tests.Compressor.Graph;

[TestClass]
public sealed class OnnxOperatorTests
{
    const string Document = "docs/operators.md", Renewing = "MAESTRO_RENEW_DOCUMENTS";

    /// <summary>Tests that are not passed, and are not meant to be, with the reason.</summary>
    static readonly SortedDictionary<string, string> Exceptions = new(StringComparer.Ordinal)
    {
        ["test_batchnorm_epsilon_training_mode"] = "BatchNormalization exported for training is refused",
        ["test_batchnorm_example_training_mode"] = "BatchNormalization exported for training is refused",
        ["test_maxpool_with_argmax_2d_precomputed_pads"] = "MaxPool that gives places out is refused",
        ["test_maxpool_with_argmax_2d_precomputed_strides"] = "MaxPool that gives places out is refused",
        ["test_resize_downsample_scales_cubic_align_corners"] = "expects a length that is not whole; ONNX Runtime's answer is taken",
        ["test_resize_downsample_scales_linear_align_corners"] = "expects a length that is not whole; ONNX Runtime's answer is taken",
        ["test_resize_tf_crop_and_resize"] = "Resize of a region is refused",
        ["test_scatternd_multiply"] = "ScatterND that multiplies is refused",
        ["test_training_dropout"] = "drops at random; here Dropout is the identity",
        ["test_training_dropout_default"] = "drops at random; here Dropout is the identity",
        ["test_training_dropout_default_mask"] = "drops at random; here Dropout is the identity",
        ["test_training_dropout_mask"] = "drops at random; here Dropout is the identity",
    };

    [TestMethod]
    public void Outputs_EveryTestOfOnnx_AreTheExpectedOnes()
    {
        var failed = OnnxSuite.Outcomes().Where(outcome => outcome.Failure is not null && !Exceptions.ContainsKey(outcome.Name)).ToList();

        Assert.IsEmpty(failed, string.Join('\n', failed.Select(outcome => $"{outcome.Name}: {outcome.Failure}")));
    }

    [TestMethod]
    public void Outputs_EachException_IsStillOne()
    {
        var passed = OnnxSuite.Outcomes().Where(outcome => outcome.Failure is null && Exceptions.ContainsKey(outcome.Name)).Select(outcome => outcome.Name).ToList();

        Assert.IsEmpty(passed, $"These pass now, and are exceptions no more: {string.Join(", ", passed)}");
    }

    [TestMethod]
    public void Document_ListsTheOperatorsOfTheTable()
    {
        var listed = File.ReadLines(DocumentPath()).Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split('`')[1]).ToArray();

        CollectionAssert.AreEqual(TrainableGraph.SupportedOperators.ToArray(), listed, $"Renew {Document}: run these tests with {Renewing}=1 and ONNX's tests at hand.");
    }

    [TestMethod]
    public void Document_IsWhatTheTableAndTheTestsGive()
    {
        var expected = Text(OnnxSuite.Outcomes());
        if (Environment.GetEnvironmentVariable(Renewing) == "1")
        {
            File.WriteAllText(DocumentPath(), expected);
        }

        Assert.AreEqual(expected, File.ReadAllText(DocumentPath()), $"{Document} is out of date: run this test with {Renewing}=1 to renew it.");
    }

    static string DocumentPath()
    {
        if (SharedFolder.Checkout() is not { } checkout)
        {
            Assert.Inconclusive($"This test reads {Document} of the checkout, and it runs apart from it.");
            return "";
        }

        return Path.Combine(checkout.FullName, Document);
    }

    static string Text(IReadOnlyList<OnnxSuite.Outcome> outcomes)
    {
        var text = new StringBuilder($"""
            # Operators that can be trained

            The trainable graph has {TrainableGraph.SupportedOperators.Count()} operators of ONNX's standard set, opsets 7 to 22, each in every form but those named below. A model with any other is not trained; the message names the node. It can still be run, measured and factored.

            Beside each stands how many of ONNX's own operator tests it passes, of those on float32, float64, int32, int64 and bool whose model has operators of this list alone ({outcomes.Count(outcome => outcome.Failure is null)} of {outcomes.Count} in all; onnx {Version}, tolerances of ONNX's own runner: rtol 1e-3, atol 1e-7). A test counts for every operator in it. Forms that are newer than those tests are held against ONNX Runtime.

            | operator | ONNX tests passed |
            |---|---|

            """);
        foreach (var name in TrainableGraph.SupportedOperators)
        {
            var own = outcomes.Where(outcome => outcome.Operators.Contains(name)).ToList();
            text.Append(CultureInfo.InvariantCulture, $"| `{name}` | {(own.Count == 0 ? "none there" : $"{own.Count(outcome => outcome.Failure is null)} of {own.Count}")} |\n");
        }

        text.Append("\n## Tests that are not passed\n\n| test | why |\n|---|---|\n");
        foreach (var (name, why) in Exceptions)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {name} | {why} |\n");
        }

        return text.Append($"""

            ## What learns

            Float initializers learn, half-precision ones as float32; they are written back in the type that they came in. Three kinds do not: those without axes, such as the ε of a formula; those that an operator reads as numbers of its own, such as the bounds of Clip, the exponent of Pow or the scales of Resize; and the statistics of BatchNormalization, which are measured. Constant nodes do not learn. What follows from constants alone is computed once.

            Dropout is the identity, in training too. What a model computes in half precision is computed in float32.

            ## Models of a fixed batch

            Training needs batches. Of a model that was exported at a batch of 1, the first axis of inputs and outputs is opened, and Reshape and Resize nodes with constant sizes are rewritten where the batch's place among the sizes can be told, for ONNX Runtime as for training. Nothing is rewritten where that would mix samples, such as in an attention whose export left the batch out. A model of another fixed batch is calibrated, checked and measured on whole batches of that size, and refused where a set has not enough samples for one.

            ## Forms that are refused

            BatchNormalization with training_mode or without spatial; MaxPool that gives places out or counts them by columns; AveragePool and LpPool with dilations; Resize with antialias, tf_crop_and_resize or keep_aspect_ratio_policy; ScatterElements and ScatterND with a reduction other than add; Conv and ConvTranspose over more than three axes; Cast to types that Torch lacks; Constant nodes of text or sparse tensors.

            """.Replace("\r\n", "\n", StringComparison.Ordinal)).ToString();
    }

    // Of the package that the figures were taken with.
    const string Version = "1.12";
}
