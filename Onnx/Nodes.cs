using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx;

/// <summary>Makes nodes of ONNX's own operators; attributes are put on by <see cref="NodeAttributes"/>.</summary>
public static class Nodes
{
    /// <summary>A node of one output.</summary>
    /// <param name="operation">The operator, such as <c>MatMul</c>.</param>
    /// <param name="name">The node's name.</param>
    /// <param name="output">The value that it gives.</param>
    /// <param name="inputs">The values that it takes, in the operator's order.</param>
    public static NodeProto Create(string operation, string name, string output, params IEnumerable<string> inputs)
    {
        var node = new NodeProto { OpType = operation, Name = name };
        node.Input.AddRange(inputs);
        node.Output.Add(output);
        return node;
    }
}
