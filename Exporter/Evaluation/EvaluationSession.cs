using Google.Protobuf;
using MaestroDeploy.Onnx;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter.Evaluation;

/// <summary>Loads graphs to compare what they answer.</summary>
public static class EvaluationSession
{
    /// <summary>Loads a graph; one that gives no floats as a copy that gives those which its outputs are made from (<see cref="FloatAnswers"/>).</summary>
    /// <param name="path">The graph's file.</param>
    /// <param name="data">What it is to answer. Where that wants scores of classes, a graph whose classes are not where such floats are largest is loaded as it is, and refused when it answers.</param>
    /// <param name="settings">How to run it.</param>
    /// <exception cref="OnnxFormatException">It is no ONNX model.</exception>
    /// <exception cref="RuntimeException">It cannot be loaded.</exception>
    public static ModelSession Load(string path, EvaluationData data, SessionSettings settings) => Load(OnnxModel.Load(path), path, data, settings);

    /// <summary>As <see cref="Load(string, EvaluationData, SessionSettings)"/>, of a graph that is in memory too.</summary>
    internal static ModelSession Load(OnnxModel model, string path, EvaluationData data, SessionSettings settings)
    {
        var answering = data.GivesScores && !FloatAnswers.AreScores(model) ? model : FloatAnswers.Given(model);
        return ReferenceEquals(answering, model) ? new ModelSession(path, settings) : new ModelSession(path, answering.Proto.ToByteArray(), settings);
    }
}
