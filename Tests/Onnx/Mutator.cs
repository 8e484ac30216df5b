using Google.Protobuf;
using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Tests.Onnx;

/// <summary>Damages model files, as a broken disk or an ill-willed author would; the same seed damages in the same way.</summary>
sealed class Mutator(int seed)
{
    static readonly long[] Extremes = [0, 1, -1, 2, 3, 255, 65_536, int.MaxValue, int.MinValue, 1L << 40, long.MaxValue, long.MinValue];

    readonly Random _random = new(seed);

    /// <summary>Bits flipped, bytes cut, doubled or overwritten.</summary>
    public byte[] Bytes(byte[] original)
    {
        var bytes = original.ToArray();
        int at = _random.Next(bytes.Length), count = Math.Min(bytes.Length - at, 1 + _random.Next(64));
        switch (_random.Next(5))
        {
            case 0:
                return bytes[..at];
            case 1:
                return [.. bytes[..at], .. bytes[(at + count)..]];
            case 2:
                return [.. bytes[..(at + count)], .. bytes[at..]];
            case 3:
                bytes.AsSpan(at, count).Fill(0xff); // a length that goes on and on
                return bytes;
            default:
                for (var i = 1 + _random.Next(16); i > 0; i--)
                {
                    // Most of a file is weights; its structure is mostly at the two ends.
                    var place = _random.Next(3) == 0 ? _random.Next(bytes.Length) : _random.Next(Math.Min(2048, bytes.Length));
                    bytes[_random.Next(2) == 0 ? place : bytes.Length - 1 - place] ^= (byte)(1 << _random.Next(8));
                }

                return bytes;
        }
    }

    /// <summary>One to four changes that still parse: sizes, types, names, order, attributes, what is there at all.</summary>
    public void Model(ModelProto model)
    {
        for (var i = 1 + _random.Next(4); i > 0 && model.Graph.Node.Count > 0; i--)
        {
            Change(model);
        }
    }

    void Change(ModelProto model)
    {
        var graph = model.Graph;
        var node = Any(graph.Node)!;
        var tensor = Any(graph.Initializer) ?? new TensorProto();
        switch (_random.Next(16))
        {
            case 0 when tensor.Dims.Count > 0:
                tensor.Dims[_random.Next(tensor.Dims.Count)] = Any(Extremes);
                break;
            case 1:
                tensor.Dims.Clear();
                tensor.Dims.AddRange(Enumerable.Range(0, _random.Next(6)).Select(_ => Any(Extremes)));
                tensor.RawData = ByteString.Empty;
                break;
            case 2:
                tensor.DataType = _random.Next(30);
                break;
            case 3:
                tensor.RawData = ByteString.CopyFrom(tensor.RawData.ToByteArray()[..(tensor.RawData.Length / 2)]);
                break;
            case 4 when node.Input.Count > 0:
                node.Input[_random.Next(node.Input.Count)] = Any(graph.Node)!.Output.FirstOrDefault() ?? "";
                break;
            case 5 when node.Output.Count > 0:
                node.Output[0] = AnyName(graph);
                break;
            case 6:
                node.Input.Clear();
                break;
            case 7:
                node.Output.Clear();
                break;
            case 8:
                node.OpType = Any<string>(["Conv", "Gemm", "MatMul", "Transpose", "Reshape", "Squeeze", "Split", "Slice", "Pad", "Resize", "Constant", "Identity", "Cast", "If", "LSTM", "Concat", "Range", "Expand", "Tile"]);
                break;
            case 9 when Any(node.Attribute) is { } attribute:
                attribute.I = Any(Extremes);
                for (var i = 0; i < attribute.Ints.Count; i++)
                {
                    attribute.Ints[i] = _random.Next(2) == 0 ? Any(Extremes) : attribute.Ints[i];
                }

                break;
            case 10:
                node.Attribute.Clear();
                break;
            case 11:
                graph.Node.Remove(node);
                graph.Node.Insert(_random.Next(graph.Node.Count + 1), node);
                break;
            case 12:
                graph.Initializer.Remove(tensor);
                break;
            case 13:
                graph.Initializer.Add(tensor.Clone());
                break;
            case 14:
                node.Input.Insert(0, AnyName(graph));
                break;
            default:
                graph.Input.Clear();
                break;
        }
    }

    string AnyName(GraphProto graph) => Any<string>([.. graph.Initializer.Select(tensor => tensor.Name), .. graph.Node.SelectMany(node => node.Output), ""]);

    T Any<T>(T[] values) => values[_random.Next(values.Length)];

    T? Any<T>(Google.Protobuf.Collections.RepeatedField<T> values)
        where T : class, IMessage => values.Count == 0 ? null : values[_random.Next(values.Count)];
}
