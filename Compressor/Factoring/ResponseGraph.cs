using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Compressor.Factoring;

/// <summary>A copy of a model that gives out what its layers answer, and their biases.</summary>
static class ResponseGraph
{
    /// <summary>Makes the copy, all data inline.</summary>
    /// <param name="model">A dense model; it is not changed.</param>
    /// <param name="layers">Some of its layers. The copy's only outputs are theirs.</param>
    public static OnnxModel Of(OnnxModel model, IReadOnlyList<WeightLayer> layers)
    {
        var copy = model.Clone();
        copy.InlineData();
        copy.Graph.Output.Clear();
        foreach (var layer in layers)
        {
            copy.Graph.Output.Add(new ValueInfoProto { Name = layer.Node.Output[0] }); // of whatever type
            if (layer.Node.Input.Skip(2).FirstOrDefault(input => input.Length > 0) is { } bias)
            {
                // An initializer cannot itself be an output of old files.
                var identity = new NodeProto { OpType = "Identity" };
                identity.Input.Add(bias);
                identity.Output.Add(BiasOf(layer));
                copy.Graph.Node.Add(identity);
                copy.Graph.Output.Add(new ValueInfoProto { Name = BiasOf(layer) });
            }
        }

        return copy;
    }

    /// <summary>The output by which the copy gives out a layer's bias, if it has one.</summary>
    public static string BiasOf(WeightLayer layer) => $"maestro.bias/{layer.Name}";
}
