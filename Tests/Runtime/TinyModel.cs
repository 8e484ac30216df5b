using System.Runtime.InteropServices;
using System.Text;

namespace MaestroDeploy.Tests.Runtime;

/// <summary>Hand-encoded ONNX graphs of a few hundred bytes: the Runtime room knows no protobuf, so its tests need none.</summary>
static class TinyModel
{
    const int Float = 1, Int32 = 6, Int64 = 7, Bool = 9; // TensorProto.DataType

    /// <summary><c>sum [N, 2] = x [N, 3] · W [3, 2]</c>, every weight the same; and <c>positive = Relu(sum)</c> when asked for.</summary>
    public static byte[] MatMul(float weight, bool withRelu = false, int elementType = Float, object? batch = null)
    {
        var axis = batch ?? "N";
        byte[] graph =
        [
            .. Bytes(1, Node("MatMul", ["x", "W"], "sum")),
            .. withRelu ? Bytes(1, Node("Relu", ["sum"], "positive")) : [],
            .. Text(2, "tiny"),
            .. Floats("W", Enumerable.Repeat(weight, 6), 3, 2),
            .. Bytes(11, Value("x", elementType, axis, 3)),
            .. Bytes(12, Value("sum", elementType, axis, 2)),
            .. withRelu ? Bytes(12, Value("positive", elementType, axis, 2)) : [],
        ];
        return Model(graph);
    }

    /// <summary>A translator's signature without its sense: <c>logits [N, T, 2] = E[target] + mean of E[source] over S</c>.</summary>
    /// <remarks>The table <c>E [4, 2]</c> holds each row's number, and ten times it.</remarks>
    public static byte[] Translator() => Model(
    [
        .. Bytes(1, Node("Gather", ["E", "source"], "read")),                                       // [N, S, 2]
        .. Bytes(1, [.. Node("ReduceMean", ["read"], "context"), .. Bytes(5, Integers("axes", 1))]), // [N, 1, 2]
        .. Bytes(1, Node("Gather", ["E", "target"], "written")),                                    // [N, T, 2]
        .. Bytes(1, Node("Add", ["written", "context"], "logits")),
        .. Text(2, "translator"),
        .. Floats("E", [0, 0, 1, 10, 2, 20, 3, 30], 4, 2),
        .. Bytes(11, Value("source", Int64, "N", "S")),
        .. Bytes(11, Value("target", Int64, "N", "T")),
        .. Bytes(12, Value("logits", Float, "N", "T", 2)),
    ]);

    /// <summary>Two more types of input: <c>y [N, 1] = mask [N, 1] ? E[index] : −1</c>, <c>index int32 [N]</c>, <c>E [4, 1]</c> each row's number.</summary>
    public static byte[] MaskedLookup() => Model(
    [
        .. Bytes(1, Node("Gather", ["E", "index"], "found")),
        .. Bytes(1, Node("Where", ["mask", "found", "nothing"], "y")),
        .. Text(2, "lookup"),
        .. Floats("E", [0, 1, 2, 3], 4, 1),
        .. Floats("nothing", [-1], 1),
        .. Bytes(11, Value("index", Int32, "N")),
        .. Bytes(11, Value("mask", Bool, "N", 1)),
        .. Bytes(12, Value("y", Float, "N", 1)),
    ]);

    /// <summary>One output that no run reads: <c>same int64 [N] = index [N]</c>, beside <c>y float [N, 1] = E[index]</c>.</summary>
    public static byte[] IndexBesideItsRow() => Model(
    [
        .. Bytes(1, Node("Identity", ["index"], "same")),
        .. Bytes(1, Node("Gather", ["E", "index"], "y")),
        .. Text(2, "beside"),
        .. Floats("E", [0, 1, 2, 3], 4, 1),
        .. Bytes(11, Value("index", Int64, "N")),
        .. Bytes(12, Value("same", Int64, "N")),
        .. Bytes(12, Value("y", Float, "N", 1)),
    ]);

    /// <summary><c>same [N] = x [N]</c>, of any type.</summary>
    /// <param name="elementType">TensorProto.DataType.</param>
    public static byte[] Same(int elementType) => Model(
    [
        .. Bytes(1, Node("Identity", ["x"], "same")),
        .. Text(2, "same"),
        .. Bytes(11, Value("x", elementType, "N")),
        .. Bytes(12, Value("same", elementType, "N")),
    ]);

    static byte[] Model(byte[] graph) => [.. Number(1, 8), .. Bytes(8, Number(2, 17)), .. Bytes(7, graph)]; // IR 8, opset 17

    static byte[] Floats(string name, IEnumerable<float> values, params int[] shape) => Bytes(5,
    [
        .. shape.SelectMany(size => Number(1, size)), .. Number(2, Float), .. Text(8, name),
        .. Bytes(9, MemoryMarshal.AsBytes<float>(values.ToArray()).ToArray()),
    ]);

    static byte[] Integers(string attribute, params int[] values) =>
        [.. Text(1, attribute), .. values.SelectMany(value => Number(8, value)), .. Number(20, 7)]; // ints, and their type

    static byte[] Node(string op, string[] inputs, string output) =>
        [.. inputs.SelectMany(input => Text(1, input)), .. Text(2, output), .. Text(4, op)];

    static byte[] Value(string name, int elementType, params object[] shape)
    {
        var axes = shape.SelectMany(axis => Bytes(1, axis is int size ? Number(1, size) : Text(2, (string)axis)));
        byte[] tensor = [.. Number(1, elementType), .. Bytes(2, [.. axes])];
        return [.. Text(1, name), .. Bytes(2, Bytes(1, tensor))];
    }

    static byte[] Number(int field, int value) => [.. Varint(field << 3), .. Varint(value)];

    static byte[] Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    static byte[] Bytes(int field, byte[] value) => [.. Varint((field << 3) | 2), .. Varint(value.Length), .. value];

    static IEnumerable<byte> Varint(int value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            yield return (byte)(value | 0x80);
        }

        yield return (byte)value;
    }
}
