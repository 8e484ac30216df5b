using MaestroDeploy.Compressor.Graph.Operators;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph;

/// <summary>An ONNX graph compiled to Torch, run at full or at chosen ranks.</summary>
/// <remarks>
/// <para>
/// Float initializers learn, half-precision ones as float32, but for numbers of a formula (docs/operators.md says which); Constant nodes do not.
/// Numbers agree with ONNX Runtime's within 1e-4 on every supported operator.
/// </para>
/// <para>
/// A rank is applied by reading a prefix of both factors' rows, and no operator knows of factors. A layer of rank 0 leaves its bias: it is
/// held as one component of zeros that learns no more, so that files and graphs stay of the shapes that every runtime takes.
/// </para>
/// </remarks>
public sealed class TrainableGraph : IDisposable
{
    readonly LodModel _source;
    readonly GraphTensors _tensors;
    readonly GraphProgram _program;
    readonly int[] _outputs, _answers;
    readonly int _answer;

    /// <param name="source">The model; it is not changed.</param>
    /// <exception cref="UntrainableModelException">A node that the trainable graph lacks.</exception>
    public TrainableGraph(LodModel source)
    {
        _source = source;
        var graph = source.Model.Graph;
        _tensors = new GraphTensors(source.Model);
        try
        {
            _program = new GraphProgram(source, _tensors);
        }
        catch
        {
            _tensors.Dispose();
            throw;
        }

        _outputs = [.. graph.Output.Select(output => _program.Slot(output.Name))];
        var answers = FloatAnswers.Of(source.Model);
        // A loss is taken from logits: a Softmax at the very end is for the deployed graph.
        _answers = [_program.Slot(FloatAnswers.BeforeSoftmax(source.Model) ?? answers[0]), .. answers.Skip(1).Select(_program.Slot)];
        _answer = _program.Slot(answers[0]);
        RestEmptyPairs();
    }

    /// <summary>The operators that can be trained, by their ONNX names.</summary>
    public static IEnumerable<string> SupportedOperators => OperatorTable.Operators.Keys;

    /// <summary>The factored layers, in the order of the graph.</summary>
    public IReadOnlyList<FactorPair> Pairs => _source.Pairs;

    /// <summary>Every trainable tensor by its initializer's name. The graph owns them.</summary>
    public IReadOnlyDictionary<string, Tensor> Weights => _tensors.Weights;

    /// <summary>BatchNorm's running means and variances by their initializers' names. The graph owns them.</summary>
    public IReadOnlyDictionary<string, Tensor> Statistics => _tensors.Statistics;

    /// <summary>Those of both that have more digits than the model keeps of them, which holds them in half precision. The graph owns them.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Widened => Weights.Concat(Statistics).Where(tensor =>
        TorchTypes.Stored((TensorProto.Types.DataType)_source.Model.Initializer(tensor.Key)!.DataType) != tensor.Value.dtype);

    /// <summary>The current rank of each pair, in the order of <see cref="Pairs"/>; 0 where nothing but the bias is left.</summary>
    public IReadOnlyList<int> Ranks => [.. Pairs.Select(RankOf)];

    /// <summary>Runs the graph to its output.</summary>
    /// <param name="input">One batch, shaped as the graph's one input.</param>
    /// <param name="ranks">A rank for each pair, 1 to its current one; null for all at their current rank.</param>
    /// <param name="mode">What the pass is for.</param>
    /// <returns>The output, which the caller owns.</returns>
    public Tensor Forward(Tensor input, IReadOnlyList<int>? ranks = null, ForwardMode mode = ForwardMode.Evaluate) => Run([input], ranks, mode, _outputs[..1])[0];

    /// <summary>As <see cref="Forward"/>, but takes every input in the graph's order, and stops at the floats that the output is made from (<see cref="FloatAnswers"/>), and before a final Softmax.</summary>
    public Tensor Logits(IReadOnlyList<Tensor> inputs, IReadOnlyList<int>? ranks = null, ForwardMode mode = ForwardMode.Evaluate) =>
        Run(inputs, ranks, mode, _answers[..1])[0];

    /// <summary>As <see cref="Logits"/>, but through a final Softmax.</summary>
    public Tensor Answer(IReadOnlyList<Tensor> inputs, IReadOnlyList<int>? ranks = null, ForwardMode mode = ForwardMode.Evaluate) =>
        Run(inputs, ranks, mode, [_answer])[0];

    /// <summary>As <see cref="Forward"/>, but takes every input and gives every output, in the graph's order.</summary>
    public IReadOnlyList<Tensor> Outputs(IReadOnlyList<Tensor> inputs, IReadOnlyList<int>? ranks = null, ForwardMode mode = ForwardMode.Evaluate) =>
        Run(inputs, ranks, mode, _outputs);

    /// <summary>All that <see cref="Logits"/> gives the first of, and values on the way, by which gradients can be taken.</summary>
    /// <param name="inputs">A tensor for each input, in the graph's order.</param>
    /// <param name="watched">Names of values that nodes give out, each once.</param>
    internal (IReadOnlyList<Tensor> Answers, IReadOnlyList<Tensor> Watched) Watch(IReadOnlyList<Tensor> inputs, IReadOnlyList<string> watched)
    {
        using var scope = NewDisposeScope();
        var values = Computed(inputs, null, ForwardMode.Evaluate, [.. _answers, .. watched.Select(_program.Slot)]);
        // An alias would not do for what is watched: the outputs were computed from the value itself. What is constant stays the graph's.
        return ([.. _answers.Select(slot => values[slot]!.alias().MoveToOuterDisposeScope())],
            [.. watched.Select(name => (_tensors.Constants.TryGetValue(name, out var constant) ? constant.alias() : values[_program.Slot(name)]!).MoveToOuterDisposeScope())]);
    }

    /// <summary>Cuts a pair to its first components for good.</summary>
    /// <param name="pair">Index in <see cref="Pairs"/>.</param>
    /// <param name="rank">0 to the current rank.</param>
    public void Shrink(int pair, int rank)
    {
        foreach (var name in new[] { Pairs[pair].U, Pairs[pair].V })
        {
            using var scope = NewDisposeScope();
            var old = _tensors.Weights[name];
            var kept = old.detach()[..Math.Max(1, rank)].clone();
            _tensors.Weights[name] = (rank == 0 ? kept.zero_() : kept.requires_grad_(true)).DetachFromDisposeScope();
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
            if (Weights.TryGetValue(name, out var tensor) || Statistics.TryGetValue(name, out tensor))
            {
                model.Graph.Initializer[i] = NativeTensor.ToOnnx(name, tensor, (TensorProto.Types.DataType)model.Graph.Initializer[i].DataType);
            }
        }

        return new LodModel(model, Pairs, provenance);
    }

    /// <inheritdoc/>
    public void Dispose() => _tensors.Dispose();

    Tensor[] Run(IReadOnlyList<Tensor> inputs, IReadOnlyList<int>? ranks, ForwardMode mode, int[] wanted)
    {
        using var scope = NewDisposeScope();
        var values = Computed(inputs, ranks, mode, wanted);
        // What a graph gives out as it came in is still the giver's.
        return [.. wanted.Select(slot => values[slot]!.alias().MoveToOuterDisposeScope())];
    }

    /// <summary>The values of the graph, at the least those that are wanted.</summary>
    Tensor?[] Computed(IReadOnlyList<Tensor> inputs, IReadOnlyList<int>? ranks, ForwardMode mode, int[] wanted)
    {
        var values = Values(inputs, ranks);
        var merged = new bool?[_program.Uses.Count];
        var missing = wanted.Distinct().Count(slot => values[slot] is null);
        for (var i = 0; missing > 0; i++)
        {
            var step = _program.Steps[i];
            if (step.Use >= 0 && (merged[step.Use] ??= IsMerged(_program.Uses[step.Use], values)))
            {
                RunMerged(step, values, mode);
            }
            else
            {
                step.Run(values, mode);
            }

            missing -= step.Outputs.Count(slot => slot >= 0 && wanted.Contains(slot) && values[slot] is not null);
        }

        return values;
    }

    Tensor?[] Values(IReadOnlyList<Tensor> inputs, IReadOnlyList<int>? ranks)
    {
        var values = new Tensor?[_program.Values];
        foreach (var (slot, input) in _program.Inputs.Zip(inputs))
        {
            values[slot] = input;
        }

        foreach (var (name, tensor) in _tensors.All)
        {
            values[_program.Slot(name)] = tensor;
        }

        for (var i = 0; ranks is not null && i < ranks.Count; i++)
        {
            Cut(values, Pairs[i].U, ranks[i]);
            Cut(values, Pairs[i].V, ranks[i]);
        }

        return values;
    }

    void Cut(Tensor?[] values, string factor, int rank)
    {
        var whole = Weights[factor];
        values[_program.Slot(factor)] = rank > 0 && rank < whole.shape[0] ? whole[..rank] : whole;
    }

    bool IsMerged(PairExecution use, Tensor?[] values) => use.IsCheaperMerged(values, (int)values[_program.Slot(use.Pair.V)]!.shape[0]);

    // The projection has nothing to do: all is in the expansion's place.
    void RunMerged(GraphProgram.Step step, Tensor?[] values, ForwardMode mode)
    {
        var use = _program.Uses[step.Use];
        if (step.Outputs[0] == use.Output)
        {
            values[use.Output] = use.RunMerged(values, values[_program.Slot(use.Pair.U)]!, values[_program.Slot(use.Pair.V)]!, mode);
        }
    }

    int RankOf(FactorPair pair)
    {
        var v = Weights[pair.V];
        return v.requires_grad ? (int)v.shape[0] : 0;
    }

    void RestEmptyPairs()
    {
        foreach (var pair in Pairs.Where(pair => pair.TrueRank(_source.Model) == 0))
        {
            Weights[pair.U].requires_grad_(false);
            Weights[pair.V].requires_grad_(false);
        }
    }
}
