using System.Runtime.InteropServices;
using System.Text;

namespace MaestroDeploy.Tests.Runtime;

/// <summary>Hand-encoded ONNX graphs of a few hundred bytes: the Runtime room knows no protobuf, so its tests need none.</summary>
static class TinyModel
{
    const int Float = 1;

    /// <summary><c>sum [N, 2] = x [N, 3] · W [3, 2]</c>, every weight the same; and <c>positive = Relu(sum)</c> when asked for.</summary>
    public static byte[] MatMul(float weight, bool withRelu = false, int elementType = Float, object? batch = null)
    {
        var weights = Enumerable.Repeat(weight, 6).ToArray();
        byte[] initializer =
        [
            .. Number(1, 3), .. Number(1, 2), .. Number(2, Float), .. Text(8, "W"),
            .. Bytes(9, MemoryMarshal.AsBytes<float>(weights).ToArray()),
        ];
        var axis = batch ?? "N";
        byte[] graph =
        [
            .. Bytes(1, Node("MatMul", ["x", "W"], "sum")),
            .. withRelu ? Bytes(1, Node("Relu", ["sum"], "positive")) : [],
            .. Text(2, "tiny"),
            .. Bytes(5, initializer),
            .. Bytes(11, Value("x", elementType, axis, 3)),
            .. Bytes(12, Value("sum", elementType, axis, 2)),
            .. withRelu ? Bytes(12, Value("positive", elementType, axis, 2)) : [],
        ];
        return [.. Number(1, 8), .. Bytes(8, Number(2, 17)), .. Bytes(7, graph)]; // IR 8, opset 17
    }

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
