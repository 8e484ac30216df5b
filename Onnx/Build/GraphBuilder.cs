using System.Globalization;
using MaestroDeploy.Onnx.Cost;
using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx.Build;

/// <summary>A value in a graph that is being built.</summary>
/// <param name="Name">Its name in the graph.</param>
/// <param name="Shape">Its shape for one sample: the batch axis is 1.</param>
public sealed record Value(string Name, IReadOnlyList<long> Shape);

/// <summary>Writes an ONNX graph the way a forward pass reads: each call adds a node and gives the value that it makes.</summary>
/// <remarks>
/// <para>Weights start as PyTorch's layers do: uniform in ±1/√(inputs of one output), bias too. BatchNorm starts as the identity.</para>
/// <para>IR version 8 and opset 17: enough for all that is built here, and old edge runtimes load it.</para>
/// </remarks>
/// <param name="name">The graph's name.</param>
/// <param name="seed">Seeds the initial weights; the same seed and calls give the same bytes.</param>
public sealed class GraphBuilder(string name, int seed = 0)
{
    /// <summary>IR version of the files written.</summary>
    public const int IrVersion = 8;

    /// <summary>Version of the standard operator set of the files written.</summary>
    public const int Opset = 17;

    readonly Random _random = new(seed);
    readonly GraphProto _graph = new() { Name = name };
    readonly Dictionary<string, int> _counts = [];

    /// <summary>Adds a float32 graph input with a batch axis named <c>N</c> in front.</summary>
    /// <param name="name">The input's name.</param>
    /// <param name="sampleShape">The shape of one sample, such as 1, 28, 28.</param>
    public Value Input(string name, params ReadOnlySpan<int> sampleShape)
    {
        long[] shape = [1, .. sampleShape.ToArray()];
        _graph.Input.Add(Describe(name, shape));
        return new Value(name, shape);
    }

    /// <summary>Adds a graph input of word numbers, int64 [N, length], both axes open.</summary>
    /// <param name="name">The input's name; its second axis is called <c>name_length</c>.</param>
    public Value Words(string name)
    {
        var words = Describe(name, [1, 1]);
        words.Type.TensorType.ElemType = (int)TensorProto.Types.DataType.Int64;
        words.Type.TensorType.Shape.Dim[1] = new TensorShapeProto.Types.Dimension { DimParam = $"{name}_length" };
        _graph.Input.Add(words);
        return new Value(name, [1, 1]);
    }

    /// <summary>A table of rows that learns: normal, of deviation 1/√width.</summary>
    /// <param name="name">The initializer's name.</param>
    /// <param name="rows">Rows, such as words.</param>
    /// <param name="width">Numbers in a row.</param>
    public Value Table(string name, int rows, int width)
    {
        var values = new float[rows * width];
        for (var i = 0; i < values.Length; i++)
        {
            // Box and Muller's transform; 1 less a draw from [0, 1) is never 0.
            values[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble()) / Math.Sqrt(width));
        }

        _graph.Initializer.Add(TensorValues.Create(name, [rows, width], values));
        return new Value(name, [rows, width]);
    }

    /// <summary>Numbers that do not learn.</summary>
    public Value Constant(string name, ReadOnlySpan<long> shape, ReadOnlySpan<float> values) => Constant(TensorValues.Create(name, shape, values));

    /// <summary>Whole numbers that do not learn, [count].</summary>
    public Value Constant(params ReadOnlySpan<long> values) => Constant(TensorValues.Create(Next("constant"), [values.Length], values));

    /// <summary>Any node: what the methods here have no name for.</summary>
    /// <param name="operation">An operator of opset 17.</param>
    /// <param name="inputs">Its operands.</param>
    /// <param name="with">Sets its attributes; null for none.</param>
    public Value Node(string operation, IEnumerable<Value> inputs, Action<NodeProto>? with = null)
    {
        var node = Node(operation, Next(operation.ToLowerInvariant()), inputs.Select(input => input.Name));
        with?.Invoke(node);
        return Add(node);
    }

    /// <summary>A convolution over [N, C, H, W] with a square kernel.</summary>
    /// <param name="x">[N, C, H, W].</param>
    /// <param name="name">The layer's name; its weights are <c>name.weight</c> and <c>name.bias</c>.</param>
    /// <param name="channels">Output channels.</param>
    /// <param name="kernel">Kernel height and width.</param>
    /// <param name="stride">Step of the window.</param>
    /// <param name="pad">Zeros on each side.</param>
    /// <param name="bias">Whether it adds a bias; not before a BatchNorm.</param>
    public Value Conv(Value x, string name, int channels, int kernel, int stride = 1, int pad = 0, bool bias = true)
    {
        var inputs = x.Shape[1] * kernel * kernel;
        List<string> operands = [x.Name, Weight($"{name}.weight", inputs, channels, x.Shape[1], kernel, kernel)];
        if (bias)
        {
            operands.Add(Weight($"{name}.bias", inputs, channels));
        }

        return Add(Node("Conv", name, operands)
            .With("kernel_shape", kernel, kernel).With("strides", stride, stride).With("pads", pad, pad, pad, pad));
    }

    /// <summary>A linear layer over [N, features]: a Gemm whose weight is [out, in].</summary>
    public Value Linear(Value x, string name, int features, bool bias = true)
    {
        var inputs = x.Shape[^1];
        List<string> operands = [x.Name, Weight($"{name}.weight", inputs, features, inputs)];
        if (bias)
        {
            operands.Add(Weight($"{name}.bias", inputs, features));
        }

        return Add(Node("Gemm", name, operands).With("transB", 1));
    }

    /// <summary>A matrix product with a weight [in, out], for inputs of any number of axes.</summary>
    public Value MatMul(Value x, string name, int features) =>
        Add(Node("MatMul", name, [x.Name, Weight($"{name}.weight", x.Shape[^1], x.Shape[^1], features)]));

    /// <summary>A linear layer over the last axis of inputs of any number of axes: a MatMul and an Add.</summary>
    public Value Project(Value x, string name, int features)
    {
        var inputs = x.Shape[^1];
        return Add(Node("Add", $"{name}.sum", [MatMul(x, name, features).Name, Weight($"{name}.bias", inputs, features)]));
    }

    /// <summary>LayerNorm over the last axis, which starts as the plain normalisation.</summary>
    public Value LayerNorm(Value x, string name)
    {
        var width = (int)x.Shape[^1];
        return Add(Node("LayerNormalization", name, [x.Name, Filled($"{name}.scale", width, 1), Filled($"{name}.bias", width, 0)]).With("axis", -1));
    }

    /// <summary>BatchNorm over the channels of [N, C, …], with fresh statistics of mean 0 and variance 1.</summary>
    public Value BatchNorm(Value x, string name)
    {
        var channels = (int)x.Shape[1];
        return Add(Node("BatchNormalization", name,
        [
            x.Name, Filled($"{name}.scale", channels, 1), Filled($"{name}.bias", channels, 0),
            Filled($"{name}.mean", channels, 0), Filled($"{name}.variance", channels, 1),
        ]));
    }

    /// <summary>max(x, 0), element by element.</summary>
    public Value Relu(Value x) => Add(Node("Relu", Next("relu"), [x.Name]));

    /// <summary>The largest of each window.</summary>
    public Value MaxPool(Value x, int kernel, int? stride = null, int pad = 0) => Pool("MaxPool", x, kernel, stride ?? kernel, pad);

    /// <summary>The mean of each window.</summary>
    public Value AveragePool(Value x, int kernel, int? stride = null) => Pool("AveragePool", x, kernel, stride ?? kernel, pad: 0);

    /// <summary>The mean of each channel: [N, C, H, W] → [N, C, 1, 1].</summary>
    public Value GlobalAveragePool(Value x) => Add(Node("GlobalAveragePool", Next("pool"), [x.Name]));

    /// <summary>All axes but the batch as one: [N, …] → [N, features].</summary>
    public Value Flatten(Value x) => Add(Node("Flatten", Next("flatten"), [x.Name]).With("axis", 1));

    /// <summary>The same elements under another shape; 0 keeps an axis, -1 takes what is left.</summary>
    public Value Reshape(Value x, params ReadOnlySpan<long> shape)
    {
        var name = Next("reshape");
        _graph.Initializer.Add(TensorValues.Create($"{name}.shape", [shape.Length], shape));
        return Add(Node("Reshape", name, [x.Name, $"{name}.shape"]));
    }

    /// <summary>The sum of two values, broadcast.</summary>
    public Value Add(Value a, Value b) => Add(Node("Add", Next("add"), [a.Name, b.Name]));

    /// <summary>Probabilities over the last axis.</summary>
    public Value Softmax(Value x) => Add(Node("Softmax", Next("softmax"), [x.Name]).With("axis", -1));

    /// <summary>Ends the graph.</summary>
    /// <param name="output">The value that the model answers with.</param>
    /// <param name="axes">Names of its axes after the batch where they are open, null where they are of a fixed size; none given: all are fixed.</param>
    public OnnxModel Build(Value output, params IReadOnlyList<string?> axes)
    {
        var described = Describe(output.Name, output.Shape);
        foreach (var (axis, name) in described.Type.TensorType.Shape.Dim.Skip(1).Zip(axes).Where(pair => pair.Second is not null))
        {
            axis.DimParam = name;
        }

        _graph.Output.Add(described);
        var proto = new ModelProto { IrVersion = IrVersion, ProducerName = "maestro", Graph = _graph };
        proto.OpsetImport.Add(new OperatorSetIdProto { Domain = OnnxModel.StandardDomain, Version = Opset });
        var model = new OnnxModel(proto, _graph.Name);
        GraphCheck.Check(model);
        return model;
    }

    Value Constant(TensorProto tensor)
    {
        var node = Node("Constant", tensor.Name, []);
        node.Attribute.Add(new AttributeProto { Name = "value", Type = AttributeProto.Types.AttributeType.Tensor, T = tensor });
        return Add(node);
    }

    Value Pool(string operation, Value x, int kernel, int stride, int pad) => Add(Node(operation, Next("pool"), [x.Name])
        .With("kernel_shape", kernel, kernel).With("strides", stride, stride).With("pads", pad, pad, pad, pad));

    static NodeProto Node(string operation, string name, IEnumerable<string> inputs) => Nodes.Create(operation, name, name, inputs);

    Value Add(NodeProto node)
    {
        _graph.Node.Add(node);
        // A graph is built once and is small: inferring all of it at each node keeps the rules in one place.
        var shape = Shapes.Of(new OnnxModel(new ModelProto { Graph = _graph }, _graph.Name))[node.Name]
            ?? throw new ArgumentException($"{node.OpType} '{node.Name}' does not fit its input's shape.");
        return new Value(node.Name, shape);
    }

    string Weight(string name, long inputs, params ReadOnlySpan<long> shape)
    {
        var bound = (float)(1 / Math.Sqrt(inputs));
        var values = new float[shape.ToArray().Aggregate(1L, (product, size) => product * size)];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (2 * _random.NextSingle() - 1) * bound;
        }

        _graph.Initializer.Add(TensorValues.Create(name, shape, values));
        return name;
    }

    string Filled(string name, int count, float value)
    {
        _graph.Initializer.Add(TensorValues.Create(name, [count], Enumerable.Repeat(value, count).ToArray()));
        return name;
    }

    string Next(string kind)
    {
        var number = _counts[kind] = _counts.GetValueOrDefault(kind) + 1;
        return kind + number.ToString(CultureInfo.InvariantCulture);
    }

    static ValueInfoProto Describe(string name, IReadOnlyList<long> shape)
    {
        var type = new TypeProto.Types.Tensor { ElemType = (int)TensorProto.Types.DataType.Float, Shape = new TensorShapeProto() };
        type.Shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimParam = "N" });
        type.Shape.Dim.AddRange(shape.Skip(1).Select(size => new TensorShapeProto.Types.Dimension { DimValue = size }));
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = type } };
    }
}
