using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx.Cost;

/// <summary>The few numbers that a graph computes from shapes, to reshape, slice or scale by them.</summary>
/// <param name="Elements">Row-major; a scalar is one element.</param>
/// <param name="Whole">Whether they are whole numbers: a division then drops what is left.</param>
sealed record ShapeValues(double[] Elements, bool Whole)
{
    /// <summary>No shape has as many axes: longer values are data, and stay unknown.</summary>
    public const int MostElements = 64;

    /// <summary>The elements as whole numbers.</summary>
    public long[] Integers => Array.ConvertAll(Elements, value => (long)value);

    /// <summary>What a node makes of such values, or null where it is none of those that exporters compute shapes with.</summary>
    /// <param name="node">The node.</param>
    /// <param name="source">Shapes, and values that hold no fractions.</param>
    /// <param name="valueOf">Values found so far, by name.</param>
    public static ShapeValues? Of(NodeProto node, IShapeSource source, Func<string, ShapeValues?> valueOf)
    {
        if (!node.IsStandard() || node.Input.Count == 0)
        {
            return null;
        }

        if (node.OpType is "Shape" or "Size")
        {
            return source.Shape(node.Input[0]) is not { } x ? null
                : Numbers(node.OpType == "Shape" ? ShapeRules.SizesOf(node, x) : [Sizes.Product(x)]);
        }

        var inputs = node.Input.Select(input => input.Length > 0 ? valueOf(input) : null).ToArray();
        var result = inputs[0] is { } first ? Of(node, first, inputs, source) : null;
        return result?.Elements.Length <= MostElements ? result : null;
    }

    static ShapeValues? Of(NodeProto node, ShapeValues x, ShapeValues?[] inputs, IShapeSource source)
    {
        var second = inputs.Length > 1 ? inputs[1] : null;
        return node.OpType switch
        {
            "Identity" or "Unsqueeze" or "Squeeze" or "Reshape" or "Flatten" => x,
            "Cast" => Cast(x, whole: !ElementTypes.IsFloat((int)node.Int("to", 0))),
            "Floor" => x.Map(Math.Floor),
            "Ceil" => x.Map(Math.Ceiling),
            "Round" => x.Map(value => Math.Round(value)),
            "Neg" => x.Map(value => -value),
            "Abs" => x.Map(Math.Abs),
            "Concat" => inputs.All(input => input is not null) ? new([.. inputs.SelectMany(input => input!.Elements)], x.Whole) : null,
            "Gather" => second is null ? null : Gather(x, second.Integers),
            "Slice" => Slice(node, x, source),
            "Transpose" => Transpose(x, source.Shape(node.Input[0])),
            "ReduceProd" => new([x.Elements.Aggregate(1.0, (product, value) => product * value)], x.Whole),
            "ConstantOfShape" => Filled(node, x),
            "Expand" when x.Elements.Length == 1 && second is not null => Repeated(x.Elements[0], second.Integers, x.Whole),
            "Add" => Combine(x, second, (a, b) => a + b),
            "Sub" => Combine(x, second, (a, b) => a - b),
            "Mul" => Combine(x, second, (a, b) => a * b),
            "Div" => Combine(x, second, (a, b) => x.Whole ? Math.Truncate(a / b) : a / b),
            "Mod" => Combine(x, second, (a, b) => a - b * Math.Floor(a / b)),
            "Min" => Combine(x, second, Math.Min),
            "Max" => Combine(x, second, Math.Max),
            "Equal" => Combine(x, second, (a, b) => a == b ? 1 : 0),
            "Where" => inputs is [_, { } yes, { } no] ? Combine(Combine(x, yes, (where, a) => where != 0 ? a : double.NaN), no, (a, b) => double.IsNaN(a) ? b : a) : null,
            "Range" => inputs is [_, { } limit, { } delta] ? Range(x, limit, delta) : null,
            _ => null,
        };
    }

    static ShapeValues Numbers(long[] values) => new(Array.ConvertAll(values, value => (double)value), Whole: true);

    ShapeValues Map(Converter<double, double> function) => this with { Elements = Array.ConvertAll(Elements, function) };

    static ShapeValues Cast(ShapeValues x, bool whole) => (whole ? x.Map(Math.Truncate) : x) with { Whole = whole };

    static ShapeValues? Combine(ShapeValues? a, ShapeValues? b, Func<double, double, double> function)
    {
        if (a is null || b is null || (a.Elements.Length != b.Elements.Length && a.Elements.Length != 1 && b.Elements.Length != 1))
        {
            return null;
        }

        var count = a.Elements.Length == 1 ? b.Elements.Length : a.Elements.Length;
        var combined = Enumerable.Range(0, count).Select(i => function(a.Elements[i % a.Elements.Length], b.Elements[i % b.Elements.Length])).ToArray();
        return combined.Any(double.IsInfinity) ? null : a with { Elements = combined };
    }

    static ShapeValues? Gather(ShapeValues x, long[] places)
    {
        var count = x.Elements.Length;
        return places.All(place => place >= -count && place < count) ? x with { Elements = [.. places.Select(place => x.Elements[place < 0 ? place + count : place])] } : null;
    }

    static ShapeValues? Slice(NodeProto node, ShapeValues x, IShapeSource source)
    {
        var (starts, ends) = (node.Ints("starts") ?? ShapeRules.Operand(node, 1, source), node.Ints("ends") ?? ShapeRules.Operand(node, 2, source));
        var step = ShapeRules.Operand(node, 4, source) is [var one] ? one : 1;
        var axis = (node.Ints("axes") ?? ShapeRules.Operand(node, 3, source)) is [var along] ? along : 0;
        if (starts is not [var start] || ends is not [var end] || step == 0 || axis != 0 || x.Elements.Length == 0 || source.Shape(node.Input[0]) is not [> 0 and <= int.MaxValue and var rows, ..] || rows > x.Elements.Length)
        {
            return null;
        }

        // PyTorch pads by the rows of a table in reverse.
        var width = x.Elements.Length / (int)rows;
        var (first, count) = ShapeRules.Taken(start, end, step, rows);
        return x with { Elements = [.. Enumerable.Range(0, (int)count).SelectMany(i => x.Elements.Skip((int)(first + i * step) * width).Take(width))] };
    }

    static ShapeValues? Transpose(ShapeValues x, long[]? shape) => shape is not [> 0 and var rows, > 0 and var columns] || Sizes.Product(shape) != x.Elements.Length ? null
        : x with { Elements = [.. Enumerable.Range(0, x.Elements.Length).Select(i => x.Elements[i % rows * columns + i / rows])] };

    static ShapeValues? Filled(NodeProto node, ShapeValues shape)
    {
        var value = node.Attribute.FirstOrDefault(attribute => attribute.Name == "value")?.T;
        return value is { DataType: (int)TensorProto.Types.DataType.Int64, RawData.Length: 8 } ? Repeated(BitConverter.ToInt64(value.RawData.Span), shape.Integers, whole: true)
            : value is { DataType: (int)TensorProto.Types.DataType.Int64, Int64Data.Count: 1 } ? Repeated(value.Int64Data[0], shape.Integers, whole: true)
            : null;
    }

    static ShapeValues? Repeated(double value, long[] shape, bool whole) =>
        Sizes.Product(shape) is var count && count <= MostElements ? new([.. Enumerable.Repeat(value, (int)count)], whole) : null;

    static ShapeValues? Range(ShapeValues start, ShapeValues limit, ShapeValues delta)
    {
        if (start.Elements is not [var first] || limit.Elements is not [var last] || delta.Elements is not [var step])
        {
            return null;
        }

        var count = Math.Ceiling((last - first) / step);
        return count is >= 0 and <= MostElements ? start with { Elements = [.. Enumerable.Range(0, (int)count).Select(i => first + i * step)] } : null;
    }
}
