using Google.Protobuf;
using MaestroDeploy.Onnx.Protos;
using static MaestroDeploy.Onnx.Protos.AttributeProto.Types;

namespace MaestroDeploy.Onnx;

/// <summary>Attributes of a node by name, with the default that the operator's specification gives.</summary>
public static class NodeAttributes
{
    /// <summary>Whether a node is of ONNX's own operator set.</summary>
    public static bool IsStandard(this NodeProto node) => OnnxModel.IsStandard(node.Domain);

    /// <summary>What messages call a node: its name, or that of its first output.</summary>
    public static string Title(this NodeProto node) => node.Name.Length > 0 ? node.Name : node.Output.FirstOrDefault() ?? node.OpType;

    /// <summary>What messages call a node that is at fault: its name, or else its operator and its first output.</summary>
    public static string Described(this NodeProto node) => node.Name.Length > 0 ? node.Name : $"{node.OpType} → {node.Output.FirstOrDefault()}";

    /// <summary>The graphs that a node holds: the branches of an If, the body of a Loop or a Scan.</summary>
    public static IEnumerable<GraphProto> Bodies(this NodeProto node) => node.Attribute.SelectMany(attribute => attribute.Graphs.Append(attribute.G)).OfType<GraphProto>();

    /// <summary>The name of every value of a graph, those of the graphs that its nodes hold among them: a body may not name a value as the graph outside does.</summary>
    public static IEnumerable<string> ValueNames(this GraphProto graph) => graph.Node.SelectMany(node => node.Output.Concat(node.Bodies().SelectMany(ValueNames)))
        .Concat(graph.Initializer.Select(tensor => tensor.Name)).Concat(graph.Input.Select(input => input.Name));

    /// <summary>Every tensor that a graph stores: initializers, attributes, and those in the graphs that its nodes hold.</summary>
    public static IEnumerable<TensorProto> StoredTensors(this GraphProto graph) => graph.Initializer
        .Concat(graph.Node.SelectMany(node => node.Attribute).SelectMany(attribute => attribute.Tensors.Append(attribute.T)).OfType<TensorProto>())
        .Concat(graph.Node.SelectMany(node => node.Bodies()).SelectMany(StoredTensors));

    /// <summary>An integer attribute.</summary>
    public static long Int(this NodeProto node, string name, long otherwise) => node.Find(name)?.I ?? otherwise;

    /// <summary>A float attribute.</summary>
    public static float Float(this NodeProto node, string name, float otherwise) => node.Find(name)?.F ?? otherwise;

    /// <summary>A string attribute.</summary>
    public static string Text(this NodeProto node, string name, string otherwise) => node.Find(name)?.S.ToStringUtf8() ?? otherwise;

    /// <summary>An attribute of several integers; null where it is absent, since its default often depends on the input's axes.</summary>
    public static long[]? Ints(this NodeProto node, string name) => node.Find(name) is { } attribute ? [.. attribute.Ints] : null;

    /// <summary>An attribute of several floats; null where it is absent.</summary>
    public static float[]? FloatList(this NodeProto node, string name) => node.Find(name) is { } attribute ? [.. attribute.Floats] : null;

    /// <summary>Adds or replaces an integer attribute.</summary>
    public static NodeProto With(this NodeProto node, string name, long value) =>
        node.Replace(new AttributeProto { Name = name, Type = AttributeType.Int, I = value });

    /// <summary>Adds or replaces a float attribute.</summary>
    public static NodeProto With(this NodeProto node, string name, float value) =>
        node.Replace(new AttributeProto { Name = name, Type = AttributeType.Float, F = value });

    /// <summary>Adds or replaces an attribute of several integers.</summary>
    public static NodeProto With(this NodeProto node, string name, params ReadOnlySpan<long> values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeType.Ints };
        attribute.Ints.AddRange(values);
        return node.Replace(attribute);
    }

    /// <summary>Removes an attribute if it is there.</summary>
    public static NodeProto Without(this NodeProto node, string name)
    {
        if (node.Find(name) is { } attribute)
        {
            node.Attribute.Remove(attribute);
        }

        return node;
    }

    /// <summary>The tensor that a Constant node gives, whichever attribute holds it; null for strings and sparse tensors.</summary>
    public static TensorProto? ConstantTensor(this NodeProto node)
    {
        if (node.OpType != "Constant")
        {
            return null;
        }

        foreach (var attribute in node.Attribute)
        {
            switch (attribute.Name)
            {
                case "value" when attribute.T is { } tensor:
                    return tensor;
                case "value_float":
                    return TensorValues.Create("", [], [attribute.F]);
                case "value_floats":
                    return TensorValues.Create("", [attribute.Floats.Count], attribute.Floats.ToArray());
                case "value_int":
                    return TensorValues.Create("", [], [attribute.I]);
                case "value_ints":
                    return TensorValues.Create("", [attribute.Ints.Count], attribute.Ints.ToArray());
            }
        }

        return null;
    }

    static NodeProto Replace(this NodeProto node, AttributeProto attribute)
    {
        node.Without(attribute.Name).Attribute.Add(attribute);
        return node;
    }

    static AttributeProto? Find(this NodeProto node, string name) => node.Attribute.FirstOrDefault(attribute => attribute.Name == name);
}
