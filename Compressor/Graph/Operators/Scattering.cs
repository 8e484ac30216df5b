using MaestroDeploy.Onnx;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Operators that put elements at given places of a copy.</summary>
static class Scattering
{
    /// <summary>Inputs x, indices and updates: an element for each index, along one axis.</summary>
    public static Operator Elements(NodeSource source)
    {
        var axis = source.Node.Int("axis", 0);
        var scatter = Reduction(source);
        return (inputs, _) => [scatter(inputs[0]!, axis, Axes.Indices(inputs[1]!, inputs[0]!.shape[Axes.Of(axis, inputs[0]!)]), inputs[2]!)];
    }

    /// <summary>Inputs x, indices [m…, k] and updates: a slice of x at each k coordinates.</summary>
    public static Operator Slices(NodeSource source)
    {
        var scatter = Reduction(source);
        return (inputs, _) =>
        {
            Tensor x = inputs[0]!, indices = inputs[1]!;
            var width = Axes.Product(x.shape.AsSpan((int)indices.shape[^1]..));
            var rows = Indexing.Rows(x, indices, shared: 0).unsqueeze(1);
            return [scatter(x.reshape(-1, width), 0, rows.expand(-1, width), inputs[2]!.reshape(-1, width)).reshape(x.shape)];
        };
    }

    static Func<Tensor, long, Tensor, Tensor, Tensor> Reduction(NodeSource source) => source.Node.Text("reduction", "none") switch
    {
        "none" => (x, axis, indices, updates) => x.scatter(axis, indices, updates),
        "add" => (x, axis, indices, updates) => x.scatter_add(axis, indices, updates),
        var other => throw source.Unsupported($"the reduction '{other}'"),
    };
}
