using Google.Protobuf;
using MaestroDeploy.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace MaestroDeploy.Tests;

/// <summary>Runs a model in ONNX Runtime by its plainest API: the reference that everything else is held against.</summary>
static class OrtRunner
{
    public static float[] Run(OnnxModel model, float[] input, params long[] shape)
    {
        using var session = new InferenceSession(model.Proto.ToByteArray());
        return Run(session, input, shape);
    }

    public static float[] RunFile(string path, float[] input, params long[] shape)
    {
        using var session = new InferenceSession(path);
        return Run(session, input, shape);
    }

    static float[] Run(InferenceSession session, float[] input, long[] shape)
    {
        using var options = new RunOptions();
        using var value = OrtValue.CreateTensorValueFromMemory(input, shape);
        using var outputs = session.Run(options, [session.InputNames[0]], [value], [session.OutputNames[0]]);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }
}
