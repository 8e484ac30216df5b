using System.Runtime.InteropServices;
using MaestroDeploy.Compressor.Graph.Operators;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph;

/// <summary>An ONNX graph compiled to Torch, its float32 initializers as parameters, run at full or at chosen ranks.</summary>
/// <remarks>
/// A rank is applied by reading a prefix of both factors' rows, nothing else: the nodes are those of the file, and so is the
/// arithmetic. Numbers agree with ONNX Runtime's within 1e-4 on every supported operator.
/// </remarks>
public sealed class TrainableGraph : IDisposable
{
    readonly LodModel _source;
    readonly List<Step> _steps = [];
    readonly Dictionary<string, int> _slots = [];
    readonly Dictionary<string, Tensor> _weights = [];
    readonly Dictionary<string, Tensor> _statistics = [];
    readonly int _input, _logits, _output;

    /// <param name="source">The model; it is not changed. Its graph must have one float input.</param>
    /// <exception cref="UntrainableModelException">A node that the trainable graph lacks.</exception>
    public TrainableGraph(LodModel source)
    {
        _source = source;
        var model = source.Model;
        var inputs = model.Inputs.ToList();
        if (inputs.Count != 1)
        {
            throw new UntrainableModelException(model.Name, "(inputs)", $"it has {inputs.Count} inputs, and one is needed");
        }

        _input = Slot(inputs[0].Name);
        foreach (var node in model.Graph.Node)
        {
            Compile(node, model);
        }

        _output = Slot(model.Graph.Output[0].Name);
        // A loss is taken from logits: a Softmax at the very end is for the deployed graph.
        var last = model.Graph.Node.FirstOrDefault(node => node.Output.Contains(model.Graph.Output[0].Name));
        _logits = last?.OpType == "Softmax" ? Slot(last.Input[0]) : _output;
        LoadWeights(model); // at the end, for nobody would free them if a node were refused
    }

    /// <summary>The operators that can be trained, by their ONNX names.</summary>
    public static IEnumerable<string> SupportedOperators => OperatorTable.Operators.Keys;

    /// <summary>The factored layers, in the order of the graph.</summary>
    public IReadOnlyList<FactorPair> Pairs => _source.Pairs;

    /// <summary>Every trainable tensor by its initializer's name. The graph owns them.</summary>
    public IReadOnlyDictionary<string, Tensor> Weights => _weights;

    /// <summary>The current rank of each pair, in the order of <see cref="Pairs"/>.</summary>
    public IReadOnlyList<int> Ranks => [.. Pairs.Select(pair => (int)_weights[pair.V].shape[0])];

    /// <summary>Runs the graph to its output.</summary>
    /// <param name="input">One batch, shaped as the graph's input.</param>
    /// <param name="ranks">A rank for each pair, 1 to its current one; null for all at their current rank.</param>
    /// <param name="mode">What the pass is for.</param>
    /// <returns>The output, which the caller owns.</returns>
    public Tensor Forward(Tensor input, IReadOnlyList<int>? ranks = null, ForwardMode mode = ForwardMode.Evaluate) => Run(input, ranks, mode, _output);

    /// <summary>As <see cref="Forward"/>, but stops before a final Softmax.</summary>
    public Tensor Logits(Tensor input, IReadOnlyList<int>? ranks, ForwardMode mode) => Run(input, ranks, mode, _logits);

    /// <summary>Cuts a pair to its first components for good.</summary>
    /// <param name="pair">Index in <see cref="Pairs"/>.</param>
    /// <param name="rank">1 to the current rank.</param>
    public void Shrink(int pair, int rank)
    {
        foreach (var name in new[] { Pairs[pair].U, Pairs[pair].V })
        {
            using var scope = NewDisposeScope();
            var old = _weights[name];
            _weights[name] = old.detach()[..rank].clone().requires_grad_(true).DetachFromDisposeScope();
            old.Dispose();
        }
    }

    /// <summary>The model with the numbers as they are now.</summary>
    /// <param name="provenance">How it came to be.</param>
    public LodModel ToModel(LodProvenance provenance)
    {
        using var scope = NewDisposeScope();
        var model = _source.CloneUnlabelled();
        for (var i = 0; i < model.Graph.Initializer.Count; i++)
        {
            var name = model.Graph.Initializer[i].Name;
            if (_weights.TryGetValue(name, out var tensor) || _statistics.TryGetValue(name, out tensor))
            {
                var plain = tensor.detach().contiguous();
                model.Graph.Initializer[i] = TensorValues.Create(name, plain.shape, plain.data<float>().ToArray());
            }
        }

        return new LodModel(model, Pairs, provenance);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _weights.Values.Concat(_statistics.Values))
        {
            tensor.Dispose();
        }
    }

    Tensor Run(Tensor input, IReadOnlyList<int>? ranks, ForwardMode mode, int wanted)
    {
        using var scope = NewDisposeScope();
        var values = new Tensor?[_slots.Count];
        values[_input] = input;
        foreach (var (name, tensor) in _weights.Concat(_statistics))
        {
            values[_slots[name]] = tensor;
        }

        for (var i = 0; ranks is not null && i < ranks.Count; i++)
        {
            values[_slots[Pairs[i].U]] = _weights[Pairs[i].U][..ranks[i]];
            values[_slots[Pairs[i].V]] = _weights[Pairs[i].V][..ranks[i]];
        }

        foreach (var step in _steps)
        {
            values[step.Output] = step.Operator([.. step.Inputs.Select(slot => slot < 0 ? null : values[slot])], mode);
            if (step.Output == wanted)
            {
                break;
            }
        }

        return values[wanted]!.MoveToOuterDisposeScope();
    }

    void LoadWeights(OnnxModel model)
    {
        var statistics = model.Graph.Node.Where(node => node.OpType == "BatchNormalization").SelectMany(node => node.Input.Skip(3)).ToHashSet();
        foreach (var initializer in model.Graph.Initializer.Where(tensor => tensor.DataType == (int)TensorProto.Types.DataType.Float))
        {
            Slot(initializer.Name);
            var learnt = !statistics.Contains(initializer.Name);
            var tensor = NativeTensor.From(model.Floats(initializer), initializer.Dims.ToArray()).requires_grad_(learnt).DetachFromDisposeScope();
            (learnt ? _weights : _statistics)[initializer.Name] = tensor;
        }
    }

    void Compile(NodeProto node, OnnxModel model)
    {
        var source = new NodeSource(node, model, name => model.Initializer(name) is { DataType: (int)TensorProto.Types.DataType.Int64 } constant ? model.Longs(constant) : null);
        if (node.Domain is not ("" or "ai.onnx") || !OperatorTable.Operators.TryGetValue(node.OpType, out var compile))
        {
            throw source.Unsupported($"the operator {node.OpType} is not among {string.Join(", ", SupportedOperators)}");
        }

        var inputs = node.Input.Select(name => name.Length == 0 ? -1 : Slot(name)).ToArray();
        _steps.Add(new Step(compile(source), inputs, Slot(node.Output[0])));
    }

    int Slot(string value)
    {
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_slots, value, out var known);
        slot = known ? slot : _slots.Count - 1;
        return slot;
    }

    sealed record Step(Operator Operator, int[] Inputs, int Output);
}
