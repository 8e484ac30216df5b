using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Protos;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>One node, ready to run: from inputs in the node's order, null where an optional one was left out, to outputs in its order.</summary>
/// <remarks>It owns nothing and disposes nothing: the caller's dispose scope frees its temporaries.</remarks>
delegate Tensor[] Operator(ReadOnlySpan<Tensor?> inputs, ForwardMode mode);

/// <summary>A number or several that an operator works by, such as its axes.</summary>
delegate T Setting<T>(ReadOnlySpan<Tensor?> inputs);

/// <summary>How an operator is compiled.</summary>
/// <param name="Inputs">The fewest inputs that it needs.</param>
/// <param name="Compile">Makes it from a node, or throws <see cref="UntrainableModelException"/> where the node's form is not supported.</param>
/// <param name="Outputs">The most outputs that it gives.</param>
sealed record OperatorEntry(int Inputs, Func<NodeSource, Operator> Compile, int Outputs = 1)
{
    /// <summary>Inputs that are numbers of the operation, such as bounds: what is stored of them does not learn.</summary>
    public int[] Settings { get; init; } = [];
}

/// <summary>A node as an operator's compiler sees it: its attributes, and those of its inputs that are constants.</summary>
sealed class NodeSource(NodeProto node, OnnxModel model, IReadOnlyDictionary<string, Tensor> constants)
{
    public NodeProto Node => node;

    public OnnxModel Model => model;

    public long Opset => model.Opset;

    /// <summary>Whether the node has an input there; an optional one may be left out.</summary>
    public bool IsGiven(int input) => input < node.Input.Count && node.Input[input].Length > 0;

    /// <summary>Whether the node gives an output there that is wanted.</summary>
    public bool IsWanted(int output) => output < node.Output.Count && node.Output[output].Length > 0;

    /// <summary>Whether an input is an initializer that may change.</summary>
    public bool IsStored(int input) => model.Initializer(node.Input[input]) is not null && !constants.ContainsKey(node.Input[input]);

    /// <summary>Whole numbers that are an attribute or an input, whichever the opset has; null where there is neither.</summary>
    public Setting<long[]?> Longs(int input, string attribute = "") =>
        node.Ints(attribute) is { } stated ? _ => stated : Read(input, NativeTensor.Longs);

    /// <summary>Real numbers of an input; null where it is left out.</summary>
    public Setting<double[]?> Doubles(int input) => Read(input, NativeTensor.Doubles);

    /// <summary>Refuses a node with fewer inputs or more outputs than the operator has.</summary>
    public void Require(OperatorEntry entry)
    {
        if (Enumerable.Range(0, entry.Inputs).FirstOrDefault(input => !IsGiven(input), -1) is >= 0 and var missing)
        {
            throw Unsupported($"{node.OpType} needs {entry.Inputs} inputs, and its input {missing} is not given");
        }

        if (Enumerable.Range(entry.Outputs, Math.Max(0, node.Output.Count - entry.Outputs)).Any(IsWanted))
        {
            throw Unsupported($"of {node.OpType}, only {(entry.Outputs == 1 ? "the first output is" : $"the first {entry.Outputs} outputs are")} supported");
        }
    }

    /// <summary>Refuses a form of the operator.</summary>
    public void Refuse(bool isRefused, string why)
    {
        if (isRefused)
        {
            throw Unsupported(why);
        }
    }

    /// <summary>The shapes of a node's operands, for messages.</summary>
    public static string ShapesOf(ReadOnlySpan<Tensor?> inputs)
    {
        List<string> shapes = [];
        foreach (var input in inputs)
        {
            shapes.Add(input is null ? "none" : $"[{string.Join(", ", input.shape)}]");
        }

        return string.Join(" and ", shapes);
    }

    public UntrainableModelException Unsupported(string why) => new(model.Name, node.Described(), why);

    // Once where the input is a constant, else at each run.
    Setting<T?> Read<T>(int input, Func<Tensor, T> read) where T : class
    {
        if (!IsGiven(input))
        {
            return _ => null;
        }

        if (!constants.TryGetValue(node.Input[input], out var constant))
        {
            return inputs => read(inputs[input]!);
        }

        using var scope = NewDisposeScope();
        var values = read(constant);
        return _ => values;
    }
}
