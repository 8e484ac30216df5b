using Google.Protobuf;
using MaestroDeploy.Onnx;
using MaestroDeploy.Runtime;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;

namespace MaestroDeploy.Compressor.Factoring;

/// <summary>Finds out whether a model whose file fixes a batch takes any other.</summary>
/// <remarks>A file of a batch of one may fix it again within, such as in a Reshape, or take its samples together, such as in a maximum over all: only a run tells.</remarks>
public static class BatchProbe
{
    // Kernels for one row sum in another order than those for several; a sample that others take part in answers quite otherwise.
    const float Rounding = 1e-3f, HalfRounding = 1e-2f;

    /// <summary>A copy of a model with its batch open, where two samples in one run give what each gives in a run of its own; else the model as it is.</summary>
    /// <param name="model">Any model.</param>
    /// <param name="inputs">What to run it on; its first samples are the same in batches of any size.</param>
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
            var alone = inputs(session, 1).Take(2).Select(sample => session.RunAll([.. sample])).ToArray();
            var together = session.RunAll([.. inputs(session, 2).First()]);
            return together.Index().All(answer => AreApart(TypeOf(answer.Item.Name), [.. alone.Select(answers => answers[answer.Index])], answer.Item)) ? open : model.Clone();
        }
        catch (Exception e) when (e is RuntimeException or ArgumentException)
        {
            return model.Clone();
        }

        int TypeOf(string output) => open.Graph.Output.First(value => value.Name == output).Type?.TensorType?.ElemType ?? 0;
    }

    static bool AreApart(int type, NamedTensor[] alone, NamedTensor together)
    {
        var one = alone[0];
        var doubles = one.Shape.Length > 0 && together.Shape[0] == 2 * one.Shape[0] && one.Shape.AsSpan(1).SequenceEqual(together.Shape.AsSpan(1));
        if (!doubles || !ElementTypes.IsFloat(type))
        {
            return doubles; // a class changes by leaps where two scores are as good as the same
        }

        var tolerance = (type is (int)DataType.Float or (int)DataType.Double ? Rounding : HalfRounding) * together.Values.Where(float.IsFinite).Select(Math.Abs).DefaultIfEmpty().Max();
        return alone.SelectMany(answers => answers.Values).Zip(together.Values).All(pair => pair.First.Equals(pair.Second) || Math.Abs(pair.First - pair.Second) <= tolerance);
    }
}
