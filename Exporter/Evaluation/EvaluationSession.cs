using Google.Protobuf;
using MaestroDeploy.Onnx;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter.Evaluation;

/// <summary>Loads graphs to compare what they answer.</summary>
public static class EvaluationSession
{
    /// <summary>Loads a graph; one that gives no floats as a copy that gives those which its outputs are made from (<see cref="FloatAnswers"/>).</summary>
    /// <param name="path">The graph's file.</param>
    /// <param name="settings">How to run it.</param>
    /// <exception cref="OnnxFormatException">It is no ONNX model.</exception>
    /// <exception cref="RuntimeException">It cannot be loaded.</exception>
    public static ModelSession Load(string path, SessionSettings settings)
    {
        var model = OnnxModel.Load(path);
        var answering = FloatAnswers.Given(model);
        return ReferenceEquals(answering, model) ? new ModelSession(path, settings) : new ModelSession(path, answering.Proto.ToByteArray(), settings);
    }
}
