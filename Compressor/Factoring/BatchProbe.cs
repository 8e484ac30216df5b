using Google.Protobuf;
using MaestroDeploy.Onnx;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Compressor.Factoring;

/// <summary>Finds out whether a model whose file fixes a batch takes any other.</summary>
/// <remarks>A file of a batch of one may fix it again within, such as in a Reshape: only a run tells.</remarks>
public static class BatchProbe
{
    /// <summary>A copy of a model with its batch open, where a run of two samples gives twice what one of one sample does; otherwise as it was.</summary>
    /// <param name="model">Any model.</param>
    /// <param name="inputs">What to run it on.</param>
    /// <param name="settings">How to run it; null for the defaults.</param>
    public static OnnxModel Open(OnnxModel model, CalibrationInputs inputs, SessionSettings? settings = null)
    {
        var open = model.Clone();
        open.OpenBatchAxis();
        var inline = open.Clone();
        inline.InlineData();
        try
        {
            using var session = new ModelSession(model.Name, inline.Proto.ToByteArray(), settings);
            return Shapes(session, 1).Zip(Shapes(session, 2), Doubles).All(doubles => doubles) ? open : model.Clone();
        }
        catch (RuntimeException)
        {
            return model.Clone();
        }

        IEnumerable<int[]> Shapes(ModelSession session, int samples) =>
            session.RunAll([.. inputs(session, samples).First()]).Select(output => output.Shape);
    }

    static bool Doubles(int[] one, int[] two) => one.Length > 0 && two[0] == 2 * one[0] && one.AsSpan(1).SequenceEqual(two.AsSpan(1));
}
