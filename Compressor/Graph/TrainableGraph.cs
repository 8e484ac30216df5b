using System.Runtime.InteropServices;
using MaestroDeploy.Compressor.Graph.Operators;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph;

/// <summary>An ONNX graph compiled to Torch, run at full or at chosen ranks.</summary>
/// <remarks>
/// <para>Float initializers learn; Constant nodes do not. Numbers agree with ONNX Runtime's within 1e-4 on every supported operator.</para>
/// <para>
/// A rank is applied by reading a prefix of both factors' rows, and no operator knows of factors. A layer of rank 0 leaves its bias: it is
/// held as one component of zeros that learns no more, so that files and graphs stay of the shapes that every runtime takes.
/// </para>
/// </remarks>
public sealed class TrainableGraph : IDisposable
{
    readonly LodModel _source;
    readonly List<Step> _steps = [];
    readonly Dictionary<string, int> _slots = [];
    readonly Dictionary<string, Tensor> _weights = [];
    readonly Dictionary<string, Tensor> _statistics = [];
    readonly Dictionary<string, Tensor> _constants = [];
    readonly PairExecution[] _uses;
    readonly int[] _inputs;
    readonly int _logits, _output;

    /// <param name="source">The model; it is not changed.</param>
    /// <exception cref="UntrainableModelException">A node that the trainable graph lacks.</exception>
    public TrainableGraph(LodModel source)
    {
        _source = source;
        var model = source.Model;
        _inputs = [.. model.Inputs.Select(input => Slot(input.Name))];
        var uses = source.Pairs.SelectMany(pair => PairRewrite.Uses(model, pair), (pair, use) => (Pair: pair, Use: use)).ToList();
        var useOf = NodesOfUses(uses.Select(one => one.Use));
        foreach (var node in model.Graph.Node.Where(node => node.OpType != "Constant"))
        {
            _steps.Add(new Step(Compile(node, model), Slots(node), Slot(node.Output[0]), useOf.GetValueOrDefault(node.Output[0], -1)));
        }

        _uses = [.. uses.Select(one => Execution(one.Pair, one.Use, model))];
        _output = Slot(model.Graph.Output[0].Name);
        // A loss is taken from logits: a Softmax at the very end is for the deployed graph.
        var last = model.Graph.Node.FirstOrDefault(node => node.Output.Contains(model.Graph.Output[0].Name));
        _logits = last?.OpType == "Softmax" ? Slot(last.Input[0]) : _output;
        LoadTensors(model); // at the end, for nobody would free them if a node were refused
    }

    /// <summary>The operators that can be trained, by their ONNX names.</summary>
    public static IEnumerable<string> SupportedOperators => OperatorTable.Operators.Keys;

    /// <summary>The factored layers, in the order of the graph.</summary>
    public IReadOnlyList<FactorPair> Pairs => _source.Pairs;

    /// <summary>Every trainable tensor by its initializer's name. The graph owns them.</summary>
    public IReadOnlyDictionary<string, Tensor> Weights => _weights;

    /// <summary>BatchNorm's running means and variances by their initializers' names. The graph owns them.</summary>
    public IReadOnlyDictionary<string, Tensor> Statistics => _statistics;

    /// <summary>The current rank of each pair, in the order of <see cref="Pairs"/>; 0 where nothing but the bias is left.</summary>
    public IReadOnlyList<int> Ranks => [.. Pairs.Select(RankOf)];

    /// <summary>Runs the graph to its output.</summary>
    /// <param name="input">One batch, shaped as the graph's one input.</param>
    /// <param name="ranks">A rank for each pair, 1 to its current one; null for all at their current rank.</param>
    /// <param name="mode">What the pass is for.</param>
    /// <returns>The output, which the caller owns.</returns>
    public Tensor Forward(Tensor input, IReadOnlyList<int>? ranks = null, ForwardMode mode = ForwardMode.Evaluate) => Run([input], ranks, mode, _output);

    /// <summary>As <see cref="Forward"/>, but takes every input in the graph's order, and stops before a final Softmax.</summary>
    public Tensor Logits(IReadOnlyList<Tensor> inputs, IReadOnlyList<int>? ranks = null, ForwardMode mode = ForwardMode.Evaluate) =>
        Run(inputs, ranks, mode, _logits);

    /// <summary>Cuts a pair to its first components for good.</summary>
    /// <param name="pair">Index in <see cref="Pairs"/>.</param>
    /// <param name="rank">0 to the current rank.</param>
    public void Shrink(int pair, int rank)
    {
        foreach (var name in new[] { Pairs[pair].U, Pairs[pair].V })
        {
            using var scope = NewDisposeScope();
            var old = _weights[name];
            var kept = old.detach()[..Math.Max(1, rank)].clone();
            _weights[name] = (rank == 0 ? kept.zero_() : kept.requires_grad_(true)).DetachFromDisposeScope();
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
                model.Graph.Initializer[i] = NativeTensor.ToOnnx(name, tensor);
            }
        }

        return new LodModel(model, Pairs, provenance);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _weights.Values.Concat(_statistics.Values).Concat(_constants.Values))
        {
            tensor.Dispose();
        }
    }

    Tensor Run(IReadOnlyList<Tensor> inputs, IReadOnlyList<int>? ranks, ForwardMode mode, int wanted)
    {
        using var scope = NewDisposeScope();
        var values = new Tensor?[_slots.Count];
        foreach (var (slot, input) in _inputs.Zip(inputs))
        {
            values[slot] = input;
        }

        foreach (var (name, tensor) in _weights.Concat(_statistics).Concat(_constants))
        {
            values[_slots[name]] = tensor;
        }

        for (var i = 0; ranks is not null && i < ranks.Count; i++)
        {
            Cut(values, Pairs[i].U, ranks[i]);
            Cut(values, Pairs[i].V, ranks[i]);
        }

        var merged = new bool?[_uses.Length];
        foreach (var step in _steps)
        {
            if (step.Use >= 0 && (merged[step.Use] ??= IsMerged(_uses[step.Use], values)))
            {
                var use = _uses[step.Use];
                if (step.Output == use.Output)
                {
                    values[step.Output] = use.RunMerged(values, values[_slots[use.Pair.U]]!, values[_slots[use.Pair.V]]!, mode);
                }
            }
            else
            {
                values[step.Output] = step.Operator([.. step.Inputs.Select(slot => slot < 0 ? null : values[slot])], mode);
            }

            if (step.Output == wanted)
            {
                break;
            }
        }

        return values[wanted]!.MoveToOuterDisposeScope();
    }

    void Cut(Tensor?[] values, string factor, int rank)
    {
        var whole = _weights[factor];
        values[_slots[factor]] = rank > 0 && rank < whole.shape[0] ? whole[..rank] : whole;
    }

    bool IsMerged(PairExecution use, Tensor?[] values) => use.IsCheaperMerged(values, (int)values[_slots[use.Pair.V]]!.shape[0]);

    int RankOf(FactorPair pair)
    {
        var v = _weights[pair.V];
        return v.requires_grad ? (int)v.shape[0] : 0;
    }

    void LoadTensors(OnnxModel model)
    {
        var statistics = model.Graph.Node.Where(node => node.OpType == "BatchNormalization").SelectMany(node => node.Input.Skip(3)).ToHashSet();
        foreach (var initializer in model.Graph.Initializer)
        {
            Slot(initializer.Name);
            var isFloat = initializer.DataType == (int)TensorProto.Types.DataType.Float;
            var learns = isFloat && !statistics.Contains(initializer.Name);
            var tensor = NativeTensor.From(model, initializer).requires_grad_(learns).DetachFromDisposeScope();
            (learns ? _weights : isFloat ? _statistics : _constants)[initializer.Name] = tensor;
        }

        foreach (var name in model.Graph.Node.Where(node => node.OpType == "Constant").Select(node => node.Output[0]))
        {
            Slot(name);
            _constants[name] = NativeTensor.From(model, model.Constant(name)
                ?? throw new UntrainableModelException(model.Name, name, "it is a Constant of another kind than a tensor")).DetachFromDisposeScope();
        }

        // One component of zeros is what a file holds of a layer at rank 0.
        using var scope = NewDisposeScope();
        foreach (var pair in Pairs.Where(pair => _weights[pair.V].shape[0] == 1 && _weights[pair.V].count_nonzero().item<long>() == 0))
        {
            _weights[pair.U].requires_grad_(false);
            _weights[pair.V].requires_grad_(false);
        }
    }

    static Operator Compile(NodeProto node, OnnxModel model)
    {
        var source = new NodeSource(node, model, name => model.Constant(name) is { DataType: (int)TensorProto.Types.DataType.Int64 } constant ? model.Longs(constant) : null);
        return node.Domain is "" or "ai.onnx" && OperatorTable.Operators.TryGetValue(node.OpType, out var compile)
            ? compile(source)
            : throw source.Unsupported($"the operator {node.OpType} is not among {string.Join(", ", SupportedOperators)}");
    }

    PairExecution Execution(FactorPair pair, PairUse use, OnnxModel model)
    {
        var node = PairRewrite.DenseNode(pair, use, $"{pair.Layer}.weight");
        var strides = pair.Kind == LayerKind.Conv ? (node.Ints("strides") ?? []).Aggregate(1L, (product, step) => product * step) : 1;
        var bias = node.Input.Count > 2 && node.Input[2].Length > 0 ? Slot(node.Input[2]) : -1;
        return new PairExecution(pair, Compile(node, model), Slot(node.Input[1 - PairRewrite.WeightAt(pair)]), bias, Slot(node.Output[0]), strides);
    }

    /// <summary>The use of a pair that each of its nodes belongs to, by the node's output: its projection and its expansion.</summary>
    static Dictionary<string, int> NodesOfUses(IEnumerable<PairUse> uses) => uses
        .SelectMany((use, i) => new[] { (use.Projection.Output[0], i), (use.Expansion.Output[0], i) })
        .ToDictionary();

    int[] Slots(NodeProto node) => [.. node.Input.Select(name => name.Length == 0 ? -1 : Slot(name))];

    int Slot(string value)
    {
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_slots, value, out var known);
        slot = known ? slot : _slots.Count - 1;
        return slot;
    }

    /// <param name="Operator">What it computes.</param>
    /// <param name="Inputs">Where its inputs lie; -1 where one was left out.</param>
    /// <param name="Output">Where its output goes.</param>
    /// <param name="Use">The use of a pair that it projects or expands; -1 for all other nodes.</param>
    sealed record Step(Operator Operator, int[] Inputs, int Output, int Use);
}
