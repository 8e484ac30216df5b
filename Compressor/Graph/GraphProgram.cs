using System.Runtime.InteropServices;
using MaestroDeploy.Compressor.Graph.Operators;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph;

/// <summary>A graph's nodes as steps that read and write numbered values.</summary>
/// <remarks>What follows from constants alone is computed once, here: it becomes a constant itself.</remarks>
sealed class GraphProgram
{
    readonly OnnxModel _model;
    readonly Dictionary<string, Tensor> _constants;
    readonly Dictionary<string, int> _slots = [];
    readonly List<Step> _steps = [];

    /// <param name="source">The model.</param>
    /// <param name="tensors">Its tensors, which what is computed here is added to.</param>
    /// <exception cref="UntrainableModelException">A node that the trainable graph lacks.</exception>
    public GraphProgram(LodModel source, GraphTensors tensors)
    {
        (_model, _constants) = (source.Model, tensors.Constants);
        foreach (var (name, _) in tensors.All)
        {
            Slot(name);
        }

        Inputs = [.. _model.Inputs.Select(input => Slot(input.Name))];
        var uses = source.Pairs.SelectMany(pair => PairRewrite.Uses(_model, pair), (pair, use) => (Pair: pair, Use: use)).ToList();
        var useOf = NodesOfUses(uses.Select(one => one.Use));
        foreach (var node in _model.Graph.Node)
        {
            Add(node, useOf.GetValueOrDefault(node.Output[0], -1));
        }

        Uses = [.. uses.Select(one => Execution(one.Pair, one.Use))];
    }

    /// <summary>The nodes that are left to run, in order.</summary>
    public IReadOnlyList<Step> Steps => _steps;

    /// <summary>How each use of each factored layer runs, in the order of the model's pairs.</summary>
    public IReadOnlyList<PairExecution> Uses { get; }

    /// <summary>Where the graph's inputs lie, in their order.</summary>
    public IReadOnlyList<int> Inputs { get; }

    /// <summary>How many values there are.</summary>
    public int Values => _slots.Count;

    /// <summary>Where a value lies.</summary>
    public int Slot(string value)
    {
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_slots, value, out var known);
        slot = known ? slot : _slots.Count - 1;
        return slot;
    }

    void Add(NodeProto node, int use)
    {
        var step = new Step(Guarded(node), Slots(node.Input), Slots(node.Output), use);
        if (node.Input.All(name => name.Length == 0 || _constants.ContainsKey(name)))
        {
            Fold(node, step.Operator);
        }
        else
        {
            _steps.Add(step);
        }
    }

    void Fold(NodeProto node, Operator run)
    {
        using var scope = NewDisposeScope();
        var results = run([.. node.Input.Select(name => _constants.GetValueOrDefault(name))], ForwardMode.Evaluate);
        foreach (var (name, result) in node.Output.Zip(results).Where(output => output.First.Length > 0))
        {
            _constants[name] = result.alias().DetachFromDisposeScope(); // an input that is given out stays its owner's
        }
    }

    // What does not fit together is told by the node at which it shows.
    Operator Guarded(NodeProto node)
    {
        var (source, run) = Compile(node);
        return (inputs, mode) =>
        {
            try
            {
                return run(inputs, mode);
            }
            catch (Exception e) when (e is ExternalException or ArgumentException or IndexOutOfRangeException or OverflowException)
            {
                throw source.Unsupported($"Torch refuses its operands {NodeSource.ShapesOf(inputs)}: {e.Message.Split('\n')[0]}");
            }
        };
    }

    (NodeSource Source, Operator Run) Compile(NodeProto node)
    {
        var source = new NodeSource(node, _model, _constants);
        if (!node.IsStandard() || !OperatorTable.Operators.TryGetValue(node.OpType, out var entry))
        {
            throw source.Unsupported($"the operator {node.OpType} is none of those in docs/operators.md");
        }

        source.Require(entry);
        return (source, entry.Compile(source));
    }

    PairExecution Execution(FactorPair pair, PairUse use)
    {
        var node = PairRewrite.DenseNode(pair, use, $"{pair.Layer}.weight");
        var strides = pair.Kind == LayerKind.Conv ? (node.Ints("strides") ?? []).Aggregate(1L, (product, step) => product * step) : 1;
        var bias = node.Input.Count > 2 && node.Input[2].Length > 0 ? Slot(node.Input[2]) : -1;
        return new PairExecution(pair, Guarded(node), Slot(node.Input[1 - PairRewrite.WeightAt(pair)]), bias, Slot(node.Output[0]), strides);
    }

    /// <summary>The use of a pair that each of its nodes belongs to, by the node's output: its projection and its expansion.</summary>
    static Dictionary<string, int> NodesOfUses(IEnumerable<PairUse> uses) => uses
        .SelectMany((use, i) => new[] { (use.Projection.Output[0], i), (use.Expansion.Output[0], i) })
        .ToDictionary();

    int[] Slots(IEnumerable<string> names) => [.. names.Select(name => name.Length == 0 ? -1 : Slot(name))];

    /// <param name="Operator">What it computes.</param>
    /// <param name="Inputs">Where its inputs lie; -1 where one was left out.</param>
    /// <param name="Outputs">Where its outputs go; -1 where one is not wanted.</param>
    /// <param name="Use">The use of a pair that it projects or expands; -1 for all other nodes.</param>
    internal sealed record Step(Operator Operator, int[] Inputs, int[] Outputs, int Use)
    {
        /// <summary>Runs it on the values so far, and puts its results among them.</summary>
        public void Run(Tensor?[] values, ForwardMode mode)
        {
            var inputs = new Tensor?[Inputs.Length];
            for (var i = 0; i < inputs.Length; i++)
            {
                inputs[i] = Inputs[i] < 0 ? null : values[Inputs[i]];
            }

            foreach (var (slot, result) in Outputs.Zip(Operator(inputs, mode)).Where(output => output.First >= 0))
            {
                values[slot] = result;
            }
        }
    }
}
