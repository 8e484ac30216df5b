using Google.Protobuf;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Protos;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Compressor.Factoring;

/// <summary>What a run tells of a model's shapes: whether it takes any batch, and what its products read.</summary>
/// <remarks>
/// Costs are counted from shapes. Where an operator on the way has no rule of inference here and the file states nothing, ONNX Runtime
/// knows. A file that names a batch of one may fix it again within, such as in a Reshape: only a run tells.
/// </remarks>
public static class ProbedShapes
{
    /// <summary>A copy of a model with the batch open if it can be, and the shapes of its products' inputs stated.</summary>
    /// <param name="model">Any model.</param>
    /// <param name="inputs">What to run it on: a batch of one sample and one of two.</param>
    /// <param name="settings">How to run it; null for the defaults.</param>
    /// <exception cref="RuntimeException">The model as it is cannot be run on these inputs.</exception>
    public static OnnxModel State(OnnxModel model, CalibrationInputs inputs, SessionSettings? settings = null)
    {
        var open = model.Clone();
        open.OpenBatchAxis();
        var (one, two) = (Run(open, inputs, 1, settings), Run(open, inputs, 2, settings));
        if (one is null || two is null || model.Graph.Output.Any(output => one.ContainsKey(output.Name) && !Grows(one[output.Name], two[output.Name])))
        {
            open = model.Clone();
            one = two = Shapes(open, inputs, 1, settings);
        }

        if (open.Inputs.All(input => input.Type?.TensorType?.Shape is { } shape && shape.Dim.Skip(1).All(axis => axis.HasDimValue)))
        {
            AddShapes(open, one, two);
        }

        return open;
    }

    static bool Grows(int[] one, int[] two) => one.Length > 0 && two[0] == 2 * one[0] && one.AsSpan(1).SequenceEqual(two.AsSpan(1));

    static Dictionary<string, int[]>? Run(OnnxModel model, CalibrationInputs inputs, int samples, SessionSettings? settings)
    {
        try
        {
            return Shapes(model, inputs, samples, settings);
        }
        catch (RuntimeException)
        {
            return null;
        }
    }

    /// <summary>The shapes of the outputs, and of what products read, by name.</summary>
    static Dictionary<string, int[]> Shapes(OnnxModel model, CalibrationInputs inputs, int samples, SessionSettings? settings)
    {
        var copy = model.Clone();
        copy.InlineData();
        copy.Graph.Output.AddRange(ReadByProducts(model).Select(value => new ValueInfoProto { Name = value })); // of whatever type

        using var session = new ModelSession(model.Name, copy.Proto.ToByteArray(), settings);
        return session.RunAll([.. inputs(session, samples).First()]).ToDictionary(output => output.Name, output => output.Shape);
    }

    static IEnumerable<string> ReadByProducts(OnnxModel model)
    {
        var computed = model.Graph.Node.SelectMany(node => node.Output).Except(model.Graph.Output.Select(output => output.Name)).ToHashSet();
        return model.Graph.Node.Where(node => node.OpType is "Gemm" or "MatMul" or "Conv" or "ConvTranspose").SelectMany(node => node.Input.Take(2)).Distinct().Where(computed.Contains);
    }

    /// <summary>States what both runs agree on; an axis that grew with the batch is left open.</summary>
    static void AddShapes(OnnxModel model, Dictionary<string, int[]> one, Dictionary<string, int[]> two)
    {
        foreach (var name in ReadByProducts(model).Except(model.Graph.ValueInfo.Select(value => value.Name)).Where(one.ContainsKey).ToList())
        {
            var shape = new TensorShapeProto();
            shape.Dim.AddRange(one[name].Zip(two[name], (size, other) => size == other ? new TensorShapeProto.Types.Dimension { DimValue = size } : new TensorShapeProto.Types.Dimension()));
            model.Graph.ValueInfo.Add(new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { Shape = shape } } });
        }
    }
}
