using MaestroDeploy.Onnx.Protos;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;

namespace MaestroDeploy.Onnx;

/// <summary>The checks that every loaded model passes before anything reads its tensors or walks its nodes.</summary>
/// <remarks>
/// 1. There is a graph, and it has an output.
/// 2. Names are given once: no two inputs, nodes or initializers make the same value; an initializer may be listed as an input.
/// 3. Nodes stand in order: each input is a graph input, an initializer, or an earlier node's output.
/// 4. Each node makes something, and the products that this room reads have a weight to read.
/// 5. Each tensor holds, or points at, just as many bytes as its shape and type need.
/// </remarks>
public static class GraphCheck
{
    /// <summary>Checks a model.</summary>
    /// <exception cref="OnnxFormatException">One of the rules is broken; the message names the node or tensor.</exception>
    public static void Check(OnnxModel model)
    {
        if (model.Proto.Graph is null || model.Graph.Output.Count == 0)
        {
            throw new OnnxFormatException(model.Name, "not an ONNX model: it has no graph, or a graph without outputs");
        }

        CheckGraph(model.Graph, [], model);
    }

    static void CheckGraph(GraphProto graph, HashSet<string> outer, OnnxModel model)
    {
        var known = new HashSet<string>(outer);
        var made = new HashSet<string>();
        foreach (var tensor in graph.Initializer)
        {
            CheckTensor(tensor, model);
            Make(tensor.Name, "initializer", made, model);
        }

        foreach (var value in graph.Input.Concat(graph.Output))
        {
            CheckAxes(value, model);
        }

        known.UnionWith(made);
        known.UnionWith(graph.SparseInitializer.Select(sparse => sparse.Values?.Name ?? ""));
        known.UnionWith(graph.Input.Select(input => input.Name));
        var stored = made.ToHashSet();
        foreach (var input in graph.Input.Where(input => !stored.Contains(input.Name)))
        {
            Make(input.Name, "input", made, model);
        }

        foreach (var node in graph.Node)
        {
            CheckNode(node, known, model);
            foreach (var output in node.Output.Where(output => output.Length > 0))
            {
                Make(output, $"node '{node.Described()}'", made, model);
                known.Add(output);
            }
        }

        if (graph.Output.FirstOrDefault(output => !known.Contains(output.Name)) is { } missing)
        {
            throw new OnnxFormatException(model.Name, $"graph output '{missing.Name}' is made by no node");
        }
    }

    static void CheckNode(NodeProto node, HashSet<string> known, OnnxModel model)
    {
        if (node.Input.FirstOrDefault(input => input.Length > 0 && !known.Contains(input)) is { } missing)
        {
            throw new OnnxFormatException(model.Name, $"node '{node.Described()}' reads '{missing}', which nothing before it makes");
        }

        var fewest = node.OpType switch
        {
            "BatchNormalization" => 5,
            "Where" => 3,
            "Conv" or "ConvTranspose" or "Gemm" or "MatMul" => 2,
            _ => 0,
        };
        if (node.Output.All(output => output.Length == 0) || (node.IsStandard() && node.Input.Count < fewest))
        {
            throw new OnnxFormatException(model.Name, $"node '{node.Described()}' has {node.Input.Count} inputs and {node.Output.Count} outputs, too few for {node.OpType}");
        }

        foreach (var attribute in node.Attribute)
        {
            foreach (var tensor in attribute.Tensors.Append(attribute.T).OfType<TensorProto>())
            {
                CheckTensor(tensor, model);
            }

            foreach (var graph in attribute.Graphs.Append(attribute.G).OfType<GraphProto>())
            {
                CheckGraph(graph, known, model);
            }
        }
    }

    static void CheckAxes(ValueInfoProto value, OnnxModel model)
    {
        if (value.Type?.TensorType?.Shape?.Dim.FirstOrDefault(axis => axis.HasDimValue && axis.DimValue > int.MaxValue) is { } axis)
        {
            throw new OnnxFormatException(model.Name, $"'{value.Name}' has an axis of {axis.DimValue}; the longest possible is {int.MaxValue}");
        }
    }

    static void CheckTensor(TensorProto tensor, OnnxModel model)
    {
        var count = ElementTypes.Count(tensor);
        if (count < 0 || tensor.Dims.Any(dim => dim > int.MaxValue))
        {
            throw new OnnxFormatException(model.Name, $"tensor '{tensor.Name}' has impossible dims [{string.Join(", ", tensor.Dims)}]");
        }

        if (ExternalData.IsExternal(tensor))
        {
            ExternalData.Of(tensor, model.Folder ?? ".", model.Name);
            return;
        }

        if (ElementTypes.Bits(tensor.DataType) == 0)
        {
            return;
        }

        var (found, needed, unit) = tensor.HasRawData
            ? (tensor.RawData.Length, ElementTypes.Bytes(tensor), "bytes")
            : (Stored(tensor) ?? count, count, "elements");
        if (found != needed)
        {
            throw new OnnxFormatException(model.Name,
                $"tensor '{tensor.Name}' [{string.Join(", ", tensor.Dims)}] needs {needed:N0} {unit}, but holds {found:N0}");
        }
    }

    // Types of 4 bits and fewer share int32_data under packing rules of their own; their readers check them.
    static long? Stored(TensorProto tensor) => (DataType)tensor.DataType switch
    {
        DataType.Float => tensor.FloatData.Count,
        DataType.Double => tensor.DoubleData.Count,
        DataType.Int64 => tensor.Int64Data.Count,
        DataType.Int32 or DataType.Int16 or DataType.Int8 or DataType.Uint16 or DataType.Uint8 or DataType.Bool or DataType.Float16 or DataType.Bfloat16
            => tensor.Int32Data.Count,
        _ => null,
    };

    static void Make(string name, string by, HashSet<string> made, OnnxModel model)
    {
        if (!made.Add(name))
        {
            throw new OnnxFormatException(model.Name, $"{by} makes '{name}', which is made already");
        }
    }
}
