using Google.Protobuf;
using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;

namespace MaestroDeploy.Tests.Compressor.Graph;

/// <summary>Models that others exported, held against ONNX Runtime.</summary>
[TestClass]
public sealed class ForeignModelTests
{
    // What the design promises, of the largest output; half precision keeps three digits, and ONNX Runtime rounds to it between nodes.
    const double Parity = 1e-4, HalfParity = 2e-2;

    const int Batch = 3;

    [TestMethod]
    [DataRow("ACASXU_run2a_1_1_batch_2000", "1,1,5")]
    [DataRow("FastestDet", "3,352,352")]
    [DataRow("SqueezeNet_fp16", "3,224,224")]
    [DataRow("ch_PP-OCRv4_rec_infer", "3,48,64")]
    [DataRow("cifar10_large", "32,32,3")]
    [DataRow("cifar10_small", "32,32,3")]
    [DataRow("cifar_base_kw", "3,32,32")]
    [DataRow("cifar_wide_kw", "3,32,32")]
    [DataRow("collins_rul_full_window_40", "1,40,20")]
    [DataRow("dist_shift_mnist_prior", "1,28,28")]
    [DataRow("embedding_model", "76,32,1")]
    [DataRow("ffnnSIGMOID__Point_6x200", "1,28,28")]
    [DataRow("hey_mycroft_v0.1", "16,96")]
    [DataRow("mnist-8", "1,28,28")]
    [DataRow("mnist-net_256x2", "784,1")]
    [DataRow("mnist-net_256x6", "784,1")]
    [DataRow("mnist_relu_9_200", "1,28,28")]
    [DataRow("pensieve_big_simple", "6,8")]
    [DataRow("pytorch_super_resolution", "1,224,224")]
    [DataRow("resnet_2b", "3,32,32")]
    [DataRow("sri_resnet_a", "3,32,32")]
    [DataRow("standard_v3_3", "2048")]
    [DataRow("version-RFB-320", "3,240,320")]
    [DataRow("vit_ibp_3_3_8", "3,32,32")]
    public void Outputs_OfABatch_AreThoseOfItsSamplesInOnnxRuntime(string name, string sample)
    {
        var (model, opened) = Load(name);
        long[] shape = [1, .. sample.Split(',').Select(long.Parse)];
        var samples = Enumerable.Range(0, Batch).Select(i => Input(model, shape, seed: i)).ToArray();

        var expected = samples.Select(values => InOnnxRuntime(model, values, shape)).ToArray();
        var one = InTorch(opened, samples[0], shape);
        shape[0] = Batch;
        float[] together = [.. samples.SelectMany(values => values)];
        var batch = InTorch(opened, together, shape);
        var runtime = InOnnxRuntime(opened, together, shape);

        var tolerance = name.EndsWith("fp16", StringComparison.Ordinal) ? HalfParity : Parity;
        for (var i = 0; i < one.Length; i++)
        {
            float[] stacked = [.. expected.SelectMany(outputs => outputs[i])];
            AssertClose(expected[0][i], one[i], tolerance);
            AssertClose(stacked, batch[i], tolerance);
            AssertClose(stacked, runtime[i], tolerance);
        }
    }

    /// <summary>The one answer of these is of all samples together, or has them on another axis.</summary>
    [TestMethod]
    [DataRow("carvana_unet_upsample_small", "1,4,31,47")]
    [DataRow("melspectrogram", "1,4000")]
    public void Outputs_OfOneSample_AreThoseOfOnnxRuntime(string name, string input)
    {
        var (model, _) = Load(name);
        long[] shape = [.. input.Split(',').Select(long.Parse)];
        var values = Input(model, shape, seed: 0);

        var (expected, actual) = (InOnnxRuntime(model, values, shape), InTorch(model, values, shape));

        for (var i = 0; i < expected.Length; i++)
        {
            AssertClose(expected[i], actual[i], Parity);
        }
    }

    [TestMethod]
    [DataRow("silero_vad", "If")]
    [DataRow("model_1", "LSTM")]
    [DataRow("byte_sb_bidi_lstm", "LSTM")]
    [DataRow("candy", "ImageScaler")]
    public void New_AnOperatorItLacks_NamesIt(string name, string operation)
    {
        var (model, _) = Load(name);
        var before = torch.Tensor.TotalCount;

        var message = Assert.ThrowsExactly<UntrainableModelException>(() => new TrainableGraph(new LodModel(model, [], new LodProvenance()))).Message;

        StringAssert.Contains(message, operation);
        Assert.AreEqual(before, torch.Tensor.TotalCount);
    }

    static (OnnxModel Model, OnnxModel Opened) Load(string name)
    {
        var model = OnnxModel.Load(SharedFolder.Require("models", name + ".onnx"));
        var opened = model.Clone();
        opened.OpenBatchAxis();
        return (model, opened);
    }

    static float[] Input(OnnxModel model, long[] shape, int seed)
    {
        var values = Numbers.Uniform((int)shape.Aggregate(1L, (a, b) => a * b), seed);
        return IsWhole(model) ? [.. values.Select(value => MathF.Floor(128 * (value + 1)))] : values;
    }

    static bool IsWhole(OnnxModel model) => model.Inputs.First().Type.TensorType.ElemType == (int)MaestroDeploy.Onnx.Protos.TensorProto.Types.DataType.Int32;

    static float[][] InTorch(OnnxModel model, float[] input, long[] shape)
    {
        using var scope = torch.NewDisposeScope();
        using var graph = new TrainableGraph(new LodModel(model, [], new LodProvenance()));
        using var nothing = torch.no_grad();
        var x = NativeTensor.From(input, shape);
        return [.. graph.Outputs([IsWhole(model) ? x.to(torch.int32) : x]).Select(output => NativeTensor.Doubles(output).Select(value => (float)value).ToArray())];
    }

    static float[][] InOnnxRuntime(OnnxModel model, float[] input, long[] shape)
    {
        using var settings = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        using var session = new InferenceSession(model.Proto.ToByteArray(), settings);
        using var options = new RunOptions();
        var type = session.InputMetadata[session.InputNames[0]].ElementType;
        using var value = type == typeof(int) ? OrtValue.CreateTensorValueFromMemory(input.Select(element => (int)element).ToArray(), shape)
            : type == typeof(Float16) ? OrtValue.CreateTensorValueFromMemory(input.Select(element => (Float16)element).ToArray(), shape)
            : OrtValue.CreateTensorValueFromMemory(input, shape);
        using var outputs = session.Run(options, [session.InputNames[0]], [value], session.OutputNames);
        return [.. outputs.Select(Floats)];
    }

    static float[] Floats(OrtValue value) => value.GetTensorTypeAndShape().ElementDataType switch
    {
        Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float16 => [.. value.GetTensorDataAsSpan<Float16>().ToArray().Select(element => (float)element)],
        Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Int64 => [.. value.GetTensorDataAsSpan<long>().ToArray().Select(element => (float)element)],
        _ => value.GetTensorDataAsSpan<float>().ToArray(),
    };

    static void AssertClose(float[] expected, float[] actual, double tolerance) =>
        Assert.IsLessThan(tolerance, Numbers.LargestDifference(expected, actual) / Math.Max(1e-6, expected.Max(Math.Abs)));
}
