using Google.Protobuf;
using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;

namespace MaestroDeploy.Tests.Compressor.Graph;

/// <summary>A model of one node, whose operands are random float inputs, or constants.</summary>
sealed class OneNode
{
    readonly NodeProto _node;
    readonly GraphProto _graph = new() { Name = "one" };
    readonly long _opset;
    readonly List<(float[] Values, long[] Shape)> _inputs = [];

    public OneNode(string operation, long opset)
    {
        (_node, _opset) = (new NodeProto { OpType = operation, Name = operation }, opset);
        _node.Output.Add("y0");
    }

    /// <summary>An operand that is fed: uniform in [-1, 1).</summary>
    public OneNode In(params long[] shape)
    {
        var name = Operand();
        var type = new TypeProto.Types.Tensor { ElemType = (int)TensorProto.Types.DataType.Float, Shape = new TensorShapeProto() };
        type.Shape.Dim.AddRange(shape.Select(size => new TensorShapeProto.Types.Dimension { DimValue = size }));
        _graph.Input.Add(new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = type } });
        _inputs.Add((Numbers.Uniform((int)shape.Aggregate(1L, (a, b) => a * b), 100 + _inputs.Count), shape));
        return this;
    }

    /// <summary>An operand that is an initializer of float numbers.</summary>
    public OneNode Weight(params long[] shape) =>
        Constant(TensorValues.Create("", shape, Numbers.Uniform((int)shape.Aggregate(1L, (a, b) => a * b), 200 + _node.Input.Count)));

    /// <summary>An operand that is an initializer of whole numbers, [count].</summary>
    public OneNode Longs(params long[] values) => Constant(TensorValues.Create("", [values.Length], values));

    /// <summary>An operand that is an initializer of whole numbers in a shape.</summary>
    public OneNode Longs(long[] shape, params long[] values) => Constant(TensorValues.Create("", shape, values));

    /// <summary>An operand that is an initializer of real numbers, [count].</summary>
    public OneNode Floats(params float[] values) => Constant(TensorValues.Create("", [values.Length], values));

    /// <summary>An operand that is left out.</summary>
    public OneNode Nothing()
    {
        _node.Input.Add("");
        return this;
    }

    public OneNode With(string name, params long[] values)
    {
        _node.With(name, values);
        return this;
    }

    public OneNode With(string name, long value)
    {
        _node.With(name, value);
        return this;
    }

    public OneNode With(string name, float value)
    {
        _node.With(name, value);
        return this;
    }

    public OneNode With(string name, string value)
    {
        _node.Attribute.Add(new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.String, S = ByteString.CopyFromUtf8(value) });
        return this;
    }

    public OneNode Outputs(int count)
    {
        _node.Output.AddRange(Enumerable.Range(1, count - 1).Select(i => $"y{i}"));
        return this;
    }

    public OnnxModel Model()
    {
        var graph = _graph.Clone();
        graph.Node.Add(_node);
        graph.Output.AddRange(_node.Output.Select(name => new ValueInfoProto { Name = name }));
        var proto = new ModelProto { IrVersion = 10, Graph = graph };
        proto.OpsetImport.Add(new OperatorSetIdProto { Version = _opset });
        return new OnnxModel(proto, _node.OpType);
    }

    /// <summary>The fed operands, which the caller's scope owns.</summary>
    public torch.Tensor[] Inputs() => [.. _inputs.Select(input => NativeTensor.From(input.Values, input.Shape))];

    /// <summary>Every output as numbers, with its shape.</summary>
    public (float[] Values, long[] Shape)[] InTorch()
    {
        using var scope = torch.NewDisposeScope();
        using var graph = new TrainableGraph(new LodModel(Model(), [], new LodProvenance()));
        return [.. graph.Outputs(Inputs()).Select(output => (NativeTensor.Doubles(output).Select(value => (float)value).ToArray(), output.shape))];
    }

    public (float[] Values, long[] Shape)[] InOnnxRuntime()
    {
        using var settings = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        using var session = new InferenceSession(Model().Proto.ToByteArray(), settings);
        using var options = new RunOptions();
        var values = _inputs.Select(input => OrtValue.CreateTensorValueFromMemory(input.Values, input.Shape)).ToList();
        using var outputs = session.Run(options, session.InputNames, values, session.OutputNames);
        values.ForEach(value => value.Dispose());
        return [.. outputs.Select(output => (Floats(output), output.GetTensorTypeAndShape().Shape))];
    }

    static float[] Floats(OrtValue value) => value.GetTensorTypeAndShape().ElementDataType switch
    {
        Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Int64 => [.. value.GetTensorDataAsSpan<long>().ToArray().Select(element => (float)element)],
        Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Bool => [.. value.GetTensorDataAsSpan<bool>().ToArray().Select(element => element ? 1f : 0)],
        _ => value.GetTensorDataAsSpan<float>().ToArray(),
    };

    OneNode Constant(TensorProto tensor)
    {
        tensor.Name = Operand();
        _graph.Initializer.Add(tensor);
        return this;
    }

    string Operand()
    {
        _node.Input.Add($"x{_node.Input.Count}");
        return _node.Input[^1];
    }
}
