using MaestroDeploy.Onnx.Cost;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx;

/// <summary>Follows the batch axis of a model that was exported at a fixed batch, and frees the sizes inside that fix it too.</summary>
/// <remarks>
/// <para>1. A Reshape to constant sizes: the entry that the batch falls into becomes the open one. The batch stands in a row-major tensor
/// behind as many elements as the axes before it hold, so that entry is the one with just as many before it.</para>
/// <para>2. A Resize to constant sizes: it takes the scales that give those sizes instead, 1 for the batch.</para>
/// <para>Where the batch axis cannot be told, such as behind an operator without a rule here, nodes stay as they are.</para>
/// <para>A Reshape may make one axis of the batch and another. If what follows would then mix samples, such as a product of such rows with one
/// another, nothing is rewritten at all: the model keeps its batch, and says so when it is given another.</para>
/// </remarks>
sealed class BatchAxis
{
    // The axes of these are counted from the last: operands with fewer are broadcast along the first.
    static readonly HashSet<string> Broadcasting = ["Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum", "Where", "MatMul", "Equal", "Less", "Greater", "And", "Or"];

    // The output has as many axes as the input, but they are others, or sizes instead of elements.
    static readonly HashSet<string> Opaque = ["Einsum", "Shape", "Size", "ConstantOfShape", "NonZero", "Compress", "Loop", "If", "Scan"];

    // Each element by itself, whatever the axes.
    static readonly HashSet<string> Elementwise = ["Identity", "Cast", "Dropout", "Relu", "LeakyRelu", "PRelu", "Elu", "Gelu", "Sigmoid", "HardSigmoid", "HardSwish",
        "Tanh", "Erf", "Exp", "Log", "Sqrt", "Neg", "Abs", "Reciprocal", "Clip", "Softplus", "Mish", "Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum", "Where"];

    readonly OnnxModel _model;
    readonly Shapes _shapes;
    readonly Dictionary<string, int> _at = [];
    readonly List<Action> _rewrites = [];
    readonly HashSet<string> _merged = [], _replaced = [];
    readonly bool _isStatic;

    BatchAxis(OnnxModel model)
    {
        _model = model;
        _shapes = Shapes.Of(model);
        foreach (var input in model.Inputs.Where(input => input.Type?.TensorType?.Shape is { Dim.Count: > 1 }))
        {
            _at[input.Name] = 0;
        }

        _isStatic = model.Inputs.All(input => input.Type?.TensorType?.Shape?.Dim.All(axis => axis.HasDimValue) == true);
    }

    /// <summary>Rewrites the nodes of a model whose first input has a batch of 1.</summary>
    public static void Free(OnnxModel model)
    {
        if (model.Inputs.FirstOrDefault()?.Type?.TensorType?.Shape is { Dim.Count: > 1 } shape && shape.Dim[0] is { HasDimValue: true, DimValue: 1 })
        {
            var axis = new BatchAxis(model);
            if (axis.Walk())
            {
                axis._rewrites.ForEach(rewrite => rewrite());
                axis.Prune();
            }
        }
    }

    /// <summary>Notes what is to be rewritten; false where samples would mix.</summary>
    bool Walk()
    {
        foreach (var node in _model.Graph.Node.Where(node => node.Input.Any(_at.ContainsKey)))
        {
            var axis = Output(node);
            var merged = node.Input.Where(_merged.Contains).ToList();
            if (merged.Count > 0 && (axis is null || !merged.All(input => KeepsApart(node, input))))
            {
                return false;
            }

            foreach (var output in axis is null ? [] : node.Output)
            {
                Note(output, axis!.Value, merged.Count > 0);
            }
        }

        return true;
    }

    // At a batch of 1, an axis that holds the batch and more is longer than 1.
    void Note(string output, int axis, bool fromMerged)
    {
        _at[output] = axis;
        if (_shapes[output] is { } shape && axis < shape.Count ? shape[axis] != 1 : fromMerged)
        {
            _merged.Add(output);
        }
    }

    /// <summary>Whether a node works on each place of the batch axis by itself.</summary>
    bool KeepsApart(NodeProto node, string input)
    {
        var (at, axes) = (_at[input], _shapes[input]?.Count ?? 0);
        return node.OpType switch
        {
            "Reshape" or "Transpose" or "Flatten" or "Squeeze" or "Unsqueeze" or "Concat" or "Split" or "Slice" => true,
            "Conv" or "MaxPool" or "AveragePool" or "GlobalAveragePool" or "BatchNormalization" => at == 0,
            "Gemm" => input == node.Input[0],
            "MatMul" => at < axes - 2 || (at == axes - 2 && input == node.Input[0] && !_at.ContainsKey(node.Input[1])),
            "Softmax" or "LogSoftmax" or "LayerNormalization" => Positive(node.Int("axis", _model.Opset < 13 && node.OpType != "LayerNormalization" ? 1 : -1), axes) > at,
            _ => Elementwise.Contains(node.OpType),
        };
    }

    /// <summary>Where a node's outputs have the batch axis; null where they have none, or it cannot be told.</summary>
    int? Output(NodeProto node)
    {
        var carrier = node.Input.First(_at.ContainsKey);
        var at = _at[carrier];
        if (_shapes[carrier] is not { } x || Opaque.Contains(node.OpType))
        {
            return null;
        }

        return node.OpType switch
        {
            "Reshape" => Reshape(node, [.. x], at),
            "Resize" => Resize(node, x, at),
            "Transpose" => Found(Array.IndexOf(node.Ints("perm") ?? [.. Enumerable.Range(0, x.Count).Select(axis => (long)axis).Reverse()], at)),
            "Flatten" => Flatten(x, at, Positive(node.Int("axis", 1), x.Count)),
            "Squeeze" => Named(node, x.Count) is { } gone && !gone.Contains(at) ? at - gone.Count(axis => axis < at) : null,
            "Unsqueeze" => Named(node, x.Count + (Axes(node)?.Length ?? 0)) is { } added
                ? added.Order().Aggregate(at, (place, axis) => axis <= place ? place + 1 : place)
                : null,
            "Gather" => Gather(node, x.Count, at, carrier == node.Input[0]),
            "ArgMax" or "ArgMin" => Reduced(node, [Positive(node.Int("axis", 0), x.Count)], at),
            _ when node.OpType.StartsWith("Reduce", StringComparison.Ordinal) => Named(node, x.Count) is { } axes ? Reduced(node, axes, at) : null,
            "Slice" => Axes(node, 3) is { } cut && !cut.Select(axis => Positive(axis, x.Count)).Contains(at) ? at : null,
            "Concat" or "Split" => Positive(node.Int("axis", 0), x.Count) == at ? null : at,
            "Gemm" => node.Int("transA", 0) == 0 ? at : null,
            _ => Kept(node, x.Count, at),
        };
    }

    int? Kept(NodeProto node, int axes, int at)
    {
        var output = _shapes[node.Output[0]]?.Count;
        return output == axes ? at
            : output is { } more && Broadcasting.Contains(node.OpType) && (node.OpType != "MatMul" || _shapes[node.Input[1]]?.Count > 1) ? more - (axes - at)
            : null;
    }

    int? Reshape(NodeProto node, long[] x, int at)
    {
        if (node.Input.Count < 2 || node.Int("allowzero", 0) != 0 || Numbers(node, 1) is not { } target || _shapes[node.Output[0]] is not { } resolved)
        {
            return null;
        }

        var before = Sizes.Product(x[..at]);
        var keepsPlace = at < target.Length && resolved.Take(at).SequenceEqual(x[..at]);
        var entry = keepsPlace ? at : Enumerable.Range(0, target.Length).FirstOrDefault(i => Sizes.Product(resolved.Take(i)) == before, -1);
        if (entry < 0)
        {
            return null;
        }

        var open = Array.IndexOf(target, -1);
        if (open == entry && !_isStatic)
        {
            return null; // it may hold an axis of unknown size too
        }

        if (open < 0 && target[entry] != 0)
        {
            Replace(node, 1, target, entry, -1);
        }
        else if (open >= 0 && open != entry && target[entry] != 0)
        {
            return Reopen(node, target, resolved, entry, open, at);
        }

        return entry;
    }

    // An entry is open already, but it is not the batch's.
    int? Reopen(NodeProto node, long[] target, IReadOnlyList<long> resolved, int entry, int open, int at)
    {
        if (entry == at)
        {
            Replace(node, 1, target, entry, 0); // as it is in the input
            return entry;
        }

        if (!_isStatic)
        {
            return null;
        }

        target[open] = resolved[open];
        Replace(node, 1, target, entry, -1);
        return entry;
    }

    int? Resize(NodeProto node, IReadOnlyList<long> x, int at)
    {
        if (Numbers(node, 3) is not { } sizes || node.Ints("axes") is not null)
        {
            return at;
        }

        float[] scales = [.. sizes.Zip(x, (to, from) => (float)to / from)];
        if (!_isStatic || sizes.Length != x.Count || scales[at] != 1 || sizes.Where((size, i) => (long)(x[i] * scales[i]) != size).Any())
        {
            return null;
        }

        _rewrites.Add(() =>
        {
            node.Input[2] = Add(node, TensorValues.Create("", [scales.Length], scales));
            node.Input.RemoveAt(3);
        });
        return at;
    }

    static int? Flatten(IReadOnlyList<long> x, int at, int axis) => at < axis
        ? Sizes.Product(x.Take(at)) == 1 ? 0 : null
        : Sizes.Product(x.Skip(axis).Take(at - axis)) == 1 ? 1 : null;

    int? Gather(NodeProto node, int axes, int at, bool isData)
    {
        var axis = Positive(node.Int("axis", 0), isData ? axes : _shapes[node.Input[0]]?.Count ?? 0);
        return !isData ? axis + at
            : axis == at || _shapes[node.Input[1]] is not { } indices ? null
            : axis < at ? at - 1 + indices.Count : at;
    }

    static int? Reduced(NodeProto node, IReadOnlyCollection<int> axes, int at) =>
        axes.Contains(at) ? null : node.Int("keepdims", 1) != 0 ? at : at - axes.Count(axis => axis < at);

    int[]? Named(NodeProto node, int axes) => Axes(node) is { Length: > 0 } named ? [.. named.Select(axis => Positive(axis, axes))] : null;

    long[]? Axes(NodeProto node, int input = 1) => node.Ints("axes") ?? Numbers(node, input);

    long[]? Numbers(NodeProto node, int input) =>
        node.Input.Count > input && _model.Constant(node.Input[input]) is { DataType: (int)TensorProto.Types.DataType.Int64 } constant ? _model.Longs(constant) : null;

    void Replace(NodeProto node, int input, long[] target, int entry, long value)
    {
        target[entry] = value;
        _replaced.Add(node.Input[input]);
        _rewrites.Add(() => node.Input[input] = Add(node, TensorValues.Create("", [target.Length], target))); // its own: others may read the old one
    }

    // What nothing reads any more goes, also from among the inputs, where old files list every initializer.
    void Prune()
    {
        if (_replaced.Count > 0)
        {
            _model.FixInitializers();
        }

        var reads = GraphReads.Of(_model.Graph);
        _replaced.RemoveWhere(constant => !reads.IsUnread(constant));
        foreach (var constant in _model.Graph.Initializer.Where(constant => _replaced.Contains(constant.Name)).ToList())
        {
            _model.Graph.Initializer.Remove(constant);
        }

        foreach (var node in _model.Graph.Node.Where(node => node.OpType == "Constant" && _replaced.Contains(node.Output[0])).ToList())
        {
            _model.Graph.Node.Remove(node);
        }
    }

    string Add(NodeProto node, TensorProto tensor)
    {
        tensor.Name = $"{node.Output[0]}.open";
        while (_model.Initializer(tensor.Name) is not null)
        {
            tensor.Name += ".open";
        }

        _model.Graph.Initializer.Add(tensor);
        return tensor.Name;
    }

    static int? Found(int place) => place < 0 ? null : place;

    static int Positive(long axis, int axes) => (int)(axis < 0 ? axis + axes : axis);
}
