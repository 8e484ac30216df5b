using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Compressor.Factoring;

/// <summary>BatchNorm's means and variances, wherever an exporter put them, as initializers that norms alone read.</summary>
/// <remarks>Cutting and training move them; what stands in a Constant node cannot be moved, and what others read too must not be.</remarks>
static class NormStatistics
{
    // Of a norm's inputs; the scale and the bias come before them.
    static readonly int[] Places = [3, 4];

    /// <summary>Gives each norm whose mean or variance is no such initializer one of its own, of the same numbers.</summary>
    /// <param name="model">The model; it is changed, and its answers are not.</param>
    public static void MakeOwn(OnnxModel model)
    {
        var constants = new ConstantValues(model);
        var others = model.Graph.Node.SelectMany(OtherReads).Concat(model.Graph.Output.Select(output => output.Name)).ToHashSet();
        var hidden =
            from node in model.Graph.Node
            where IsNorm(node)
            from input in Places
            let name = node.Input[input]
            where model.Initializer(name) is null || others.Contains(name)
            let value = constants.Find(name)
            where value is not null && ElementTypes.IsFloat((int)value.Type)
            select (Node: node, Input: input, Value: value);
        var taken = model.Graph.ValueNames().ToHashSet();
        foreach (var (node, input, value) in hidden.ToList())
        {
            var own = Unused(taken, $"{node.Output[0]}.{(input == Places[0] ? "mean" : "variance")}");
            model.Graph.Initializer.Add(TensorValues.Create(own, [.. value.Dims], value.Floats(model), value.Type));
            model.FixInitializers();
            node.Input[input] = own;
        }
    }

    static bool IsNorm(NodeProto node) => node.IsStandard() && node.OpType == "BatchNormalization";

    static IEnumerable<string> OtherReads(NodeProto node) => IsNorm(node) ? node.Input.Take(Places[0]) : AllReads(node);

    static IEnumerable<string> AllReads(NodeProto node) => node.Input.Concat(node.Bodies().SelectMany(body => body.Node).SelectMany(AllReads));

    static string Unused(HashSet<string> taken, string name)
    {
        while (!taken.Add(name))
        {
            name += ".own";
        }

        return name;
    }
}
