using MaestroDeploy.Onnx.Protos;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;

namespace MaestroDeploy.Onnx.LowRank;

/// <summary>One place where a pair is applied: the two nodes that stand for one dense node.</summary>
/// <param name="Projection">The node that reads V, or V transposed.</param>
/// <param name="Expansion">The node that reads U, or U transposed, and what the projection makes.</param>
public sealed record PairUse(NodeProto Projection, NodeProto Expansion);

/// <summary>The rewrites between dense nodes and pairs of nodes on two factors, both ways, and the cut to a smaller rank.</summary>
/// <remarks>
/// <para>1. Linear: <c>Gemm(x, Wᵀ, b)</c> ↔ <c>Gemm(Gemm(x, Vᵀ), U, b)</c>.</para>
/// <para>2. Product: <c>MatMul(x, W)</c> ↔ <c>MatMul(MatMul(x, Transpose(V)), U)</c>.</para>
/// <para>3. Conv: <c>Conv(x, W, b)</c> ↔ <c>Conv(Conv(x, V), Transpose(U), b)</c>: the first keeps kernel, stride, padding and
/// dilation, the second has kernel 1.</para>
/// <para>4. Left: <c>Gemm(W, x, b)</c> ↔ <c>Gemm(Uᵀ, Gemm(V, x), b)</c>, and <c>MatMul(W, x)</c> ↔ <c>MatMul(Transpose(U), MatMul(V, x))</c>.</para>
/// <para>
/// A Gemm's alpha is in V, its beta stays on the bias, and the first Gemm turns x where the dense one did. ONNX Runtime folds each
/// Transpose away when it loads the graph. Several nodes with one weight become as many pairs of nodes on one pair of factors.
/// </para>
/// </remarks>
public static class PairRewrite
{
    /// <summary>Replaces a layer's nodes by pairs, and removes what nobody reads any more.</summary>
    /// <param name="model">The model that the layer was found in; it is changed, and becomes one of IR 4 if it was older.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="u">U [rank, out], row-major.</param>
    /// <param name="v">V [rank, in…], row-major.</param>
    public static FactorPair Factor(OnnxModel model, WeightLayer layer, ReadOnlySpan<float> u, ReadOnlySpan<float> v)
    {
        long rank = u.Length / layer.Out;
        var pair = new FactorPair(layer.Name, layer.Kind, $"{layer.Name}.u", $"{layer.Name}.v", [layer.Out, .. layer.In]);
        model.FixInitializers();
        model.Graph.Initializer.Add(TensorValues.Create(pair.V, [rank, .. layer.In.Select(size => (long)size)], v, layer.Weight.Type));
        model.Graph.Initializer.Add(TensorValues.Create(pair.U, [rank, layer.Out, .. KernelOfOne(pair)], u, layer.Weight.Type));
        for (var use = 1; use <= layer.Nodes.Count; use++)
        {
            var dense = layer.Nodes[use - 1];
            var (project, expand) = PairNodes.Of(pair, dense, layer.InputOf(dense), use, model.GemmNeedsBias);
            Replace(model.Graph, dense, [.. use == 1 ? PairNodes.Shared(pair, project, expand, layer.Weight.Type) : [], project, expand]);
        }

        foreach (var dense in layer.Nodes)
        {
            RemoveUnread(model, dense.Input[WeightAt(pair)]);
        }

        return pair;
    }

    /// <summary>Replaces a pair by dense nodes whose weight is an initializer of the given name.</summary>
    /// <param name="model">The model; it is changed, but the weight is the caller's to add.</param>
    /// <param name="pair">The pair.</param>
    /// <param name="weight">Name of the dense weight, <see cref="DenseDims"/> shaped.</param>
    public static void Merge(OnnxModel model, FactorPair pair, string weight)
    {
        var uses = Uses(model, pair);
        for (var i = 0; i < uses.Count; i++)
        {
            var dense = DenseNode(pair, uses[i], weight);
            dense.Name = PairNodes.Numbered(pair.Layer, i + 1);
            Replace(model.Graph, uses[i].Expansion, []);
            Replace(model.Graph, uses[i].Projection, [dense]);
        }

        RemoveFactors(model, pair);
    }

    /// <summary>Replaces a pair that is applied once by other nodes.</summary>
    /// <param name="model">The model; it is changed.</param>
    /// <param name="pair">The pair.</param>
    /// <param name="nodes">The nodes, in their order; they give out what the expansion gave.</param>
    public static void Replace(OnnxModel model, FactorPair pair, NodeProto[] nodes)
    {
        var (projection, expansion) = Uses(model, pair).Single();
        Replace(model.Graph, projection, []);
        Replace(model.Graph, expansion, nodes);
        RemoveFactors(model, pair);
    }

    /// <summary>The one node that one use of a pair stands for: the projection's, reading the dense weight, with the expansion's bias and output.</summary>
    /// <param name="pair">The pair.</param>
    /// <param name="use">One of its <see cref="Uses"/>.</param>
    /// <param name="weight">Name of the dense weight, <see cref="DenseDims"/> shaped.</param>
    public static NodeProto DenseNode(FactorPair pair, PairUse use, string weight)
    {
        var dense = use.Projection.Clone();
        dense.Name = pair.Layer;
        dense.Input.Clear();
        dense.Input.AddRange(use.Projection.Input.Take(2).Concat(use.Expansion.Input.Skip(2)));
        dense.Input[WeightAt(pair)] = weight;
        dense.Output[0] = use.Expansion.Output[0];
        return use.Expansion.Float("beta", 1) is var beta && beta != 1 ? dense.With("beta", beta) : dense;
    }

    /// <summary>Where among the dense node's inputs the weight is: 0 on the left, 1 on the right.</summary>
    public static int WeightAt(FactorPair pair) => pair.Kind == LayerKind.Left ? 0 : 1;

    /// <summary>The dims under which a merged weight is stored: [out, in…], but [in, out] for a product.</summary>
    public static long[] DenseDims(FactorPair pair) => pair.Kind == LayerKind.Product
        ? [pair.In, pair.Out]
        : [.. pair.DenseShape.Select(size => (long)size)];

    /// <summary>A dense weight [out, in] in the order in which <see cref="DenseDims"/> stores it.</summary>
    public static float[] DenseValues(FactorPair pair, float[] weight) =>
        pair.Kind == LayerKind.Product ? Matrices.Transpose(weight, pair.Out, pair.In) : weight;

    /// <summary>Cuts a pair to its first <paramref name="rank"/> components.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The rank is below 1 or above the pair's.</exception>
    public static void Truncate(OnnxModel model, FactorPair pair, int rank)
    {
        var most = pair.Rank(model);
        if (rank < 1 || rank > most)
        {
            throw new ArgumentOutOfRangeException(nameof(rank), rank, $"Layer '{pair.Layer}' can be cut to a rank of 1 to {most}.");
        }

        foreach (var name in new[] { pair.U, pair.V })
        {
            var tensor = FactorPair.Factor(model, name);
            long[] dims = [rank, .. tensor.Dims.Skip(1)];
            var kept = model.Floats(tensor).AsSpan(0, (int)dims.Aggregate(1L, (product, size) => product * size));
            model.ReplaceInitializer(TensorValues.Create(name, dims, kept, (DataType)tensor.DataType));
        }
    }

    /// <summary>Where a pair is applied, in the order of the graph; one use at least.</summary>
    /// <exception cref="OnnxFormatException">No nodes read the factors as a pair's do.</exception>
    public static IReadOnlyList<PairUse> Uses(OnnxModel model, FactorPair pair)
    {
        var (projections, expansions) = (Readers(model, pair.V), Readers(model, pair.U));
        PairUse[] uses = [.. projections.SelectMany(project => expansions.Where(expand => expand.Input.Contains(project.Output[0])).Select(expand => new PairUse(project, expand)))];
        return uses.Length > 0 && uses.Length == projections.Count && uses.Length == expansions.Count && uses.All(use => IsUse(pair, use))
            ? uses
            : throw new OnnxFormatException(model.Name, $"the nodes that read '{pair.U}' and '{pair.V}' are not those of a factored layer");
    }

    internal static long[] KernelOfOne(FactorPair pair) => [.. Enumerable.Repeat(1L, pair.DenseShape.Count - 2)];

    static bool IsUse(FactorPair pair, PairUse use) => new[] { use.Projection, use.Expansion }.All(node => node.IsStandard() && node.Input.Count >= 2
        && node.OpType is "Gemm" or "MatMul" or "Conv" && node.OpType == "Conv" == (pair.Kind == LayerKind.Conv));

    // A factor is read as it is, or through one Transpose.
    static List<NodeProto> Readers(OnnxModel model, string factor)
    {
        HashSet<string> names = [factor, .. model.Graph.Node.Where(node => IsTurn(node, factor)).Select(node => node.Output[0])];
        return [.. model.Graph.Node.Where(node => !IsTurn(node, factor) && node.Input.Any(names.Contains))];

        static bool IsTurn(NodeProto node, string factor) => node.OpType == "Transpose" && node.Input.Count > 0 && node.Input[0] == factor;
    }

    static void RemoveFactors(OnnxModel model, FactorPair pair)
    {
        foreach (var turn in model.Graph.Node.Where(node => node.OpType == "Transpose" && (node.Input[0] == pair.U || node.Input[0] == pair.V)).ToList())
        {
            model.Graph.Node.Remove(turn);
        }

        RemoveUnread(model, PairNodes.Zero(pair));
        RemoveInitializer(model, pair.U);
        RemoveInitializer(model, pair.V);
    }

    static void Replace(GraphProto graph, NodeProto old, NodeProto[] replacements)
    {
        var at = IndexOf(graph, old);
        graph.Node.RemoveAt(at);
        for (var i = 0; i < replacements.Length; i++)
        {
            graph.Node.Insert(at + i, replacements[i]);
        }
    }

    // By identity: two nodes without names may be equal in all they hold but what they are.
    static int IndexOf(GraphProto graph, NodeProto node)
    {
        var at = 0;
        while (!ReferenceEquals(graph.Node[at], node))
        {
            at++;
        }

        return at;
    }

    /// <summary>Removes a value that nobody reads any more: its tensor, or the node that makes it and then what only that node read.</summary>
    public static void RemoveUnread(OnnxModel model, string value)
    {
        var unread = new Stack<string>([value]);
        while (unread.TryPop(out var name))
        {
            if (!GraphReads.Of(model.Graph).IsUnread(name))
            {
                continue;
            }

            RemoveInitializer(model, name);
            if (model.Graph.Node.FirstOrDefault(node => node.Output.Contains(name)) is { } maker)
            {
                model.Graph.Node.RemoveAt(IndexOf(model.Graph, maker));
                foreach (var input in maker.Input)
                {
                    unread.Push(input);
                }
            }
        }
    }

    static void RemoveInitializer(OnnxModel model, string name)
    {
        if (model.Initializer(name) is { } tensor)
        {
            model.Graph.Initializer.Remove(tensor);
        }

        if (model.Graph.Input.FirstOrDefault(input => input.Name == name) is { } listed && model.Initializer(name) is null)
        {
            model.Graph.Input.Remove(listed);
        }
    }
}
