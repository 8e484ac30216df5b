using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx.LowRank;

/// <summary>The rewrites between a dense node and a pair of nodes on two factors, both ways, and the cut to a smaller rank.</summary>
/// <remarks>
/// <para>1. Linear: <c>Gemm(x, Wᵀ, b)</c> ↔ <c>Gemm(Gemm(x, Vᵀ), U, b)</c>.</para>
/// <para>2. Product: <c>MatMul(x, W)</c> ↔ <c>MatMul(MatMul(x, Transpose(V)), U)</c>.</para>
/// <para>3. Conv: <c>Conv(x, W, b)</c> ↔ <c>Conv(Conv(x, V), Transpose(U), b)</c>: the first keeps kernel, stride, padding and
/// dilation, the second has kernel 1. ONNX Runtime folds each Transpose away when it loads the graph.</para>
/// </remarks>
public static class PairRewrite
{
    /// <summary>Replaces a layer's node by a pair.</summary>
    /// <param name="model">The model that the layer was found in; it is changed.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="u">U [rank, out], row-major.</param>
    /// <param name="v">V [rank, in…], row-major.</param>
    public static FactorPair Factor(OnnxModel model, WeightLayer layer, ReadOnlySpan<float> u, ReadOnlySpan<float> v)
    {
        long rank = u.Length / layer.Out;
        var pair = new FactorPair(layer.Name, layer.Kind, $"{layer.Name}.u", $"{layer.Name}.v", [layer.Out, .. layer.In]);
        var kernelOfOne = Enumerable.Repeat(1L, layer.Kind == LayerKind.Conv ? layer.In.Count - 1 : 0).ToArray();
        model.Graph.Initializer.Add(TensorValues.Create(pair.V, [rank, .. layer.In.Select(size => (long)size)], v));
        model.Graph.Initializer.Add(TensorValues.Create(pair.U, [rank, layer.Out, .. kernelOfOne], u));
        Replace(model.Graph, layer.Node, NodesOf(pair, layer.Node, kernelOfOne));
        RemoveInitializer(model, layer.Weight.Name);
        return pair;
    }

    /// <summary>Replaces a pair by one dense node whose weight is an initializer of the given name.</summary>
    /// <param name="model">The model; it is changed, but the weight is the caller's to add.</param>
    /// <param name="pair">The pair.</param>
    /// <param name="weight">Name of the dense weight, <see cref="DenseDims"/> shaped.</param>
    public static void Merge(OnnxModel model, FactorPair pair, string weight)
    {
        var (project, expand) = (Projection(model, pair), Expansion(model, pair));
        var dense = DenseNode(model, pair, weight);
        foreach (var turn in model.Graph.Node.Where(node => node.OpType == "Transpose" && (node.Input[0] == pair.U || node.Input[0] == pair.V)).ToList())
        {
            model.Graph.Node.Remove(turn);
        }

        Replace(model.Graph, expand, []);
        Replace(model.Graph, project, [dense]);
        RemoveInitializer(model, pair.U);
        RemoveInitializer(model, pair.V);
    }

    /// <summary>The one node that a pair stands for: the projection's, reading the dense weight, with the expansion's bias and output.</summary>
    /// <param name="model">The model; it is not changed.</param>
    /// <param name="pair">The pair.</param>
    /// <param name="weight">Name of the dense weight, <see cref="DenseDims"/> shaped.</param>
    public static NodeProto DenseNode(OnnxModel model, FactorPair pair, string weight)
    {
        var (project, expand) = (Projection(model, pair), Expansion(model, pair));
        var dense = project.Clone();
        dense.Name = pair.Layer;
        dense.Input[1] = weight;
        dense.Input.AddRange(expand.Input.Skip(2));
        dense.Output[0] = expand.Output[0];
        return dense;
    }

    /// <summary>The dims under which a merged weight is stored: [out, in…], but [in, out] for a product.</summary>
    public static long[] DenseDims(FactorPair pair) => pair.Kind == LayerKind.Product
        ? [pair.In, pair.Out]
        : [.. pair.DenseShape.Select(size => (long)size)];

    /// <summary>A dense weight [out, in] in the order in which <see cref="DenseDims"/> stores it.</summary>
    public static float[] DenseValues(FactorPair pair, float[] weight)
    {
        if (pair.Kind != LayerKind.Product)
        {
            return weight;
        }

        var turned = new float[weight.Length];
        for (var row = 0; row < pair.Out; row++)
        {
            for (var column = 0; column < pair.In; column++)
            {
                turned[column * pair.Out + row] = weight[row * pair.In + column];
            }
        }

        return turned;
    }

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
            model.ReplaceInitializer(TensorValues.Create(name, dims, model.Floats(tensor).AsSpan(0, (int)dims.Aggregate(1L, (product, size) => product * size))));
        }
    }

    /// <summary>The node of a pair that reads V, or V transposed.</summary>
    /// <exception cref="OnnxFormatException">No node does.</exception>
    public static NodeProto Projection(OnnxModel model, FactorPair pair) => Reader(model, pair.V);

    /// <summary>The node of a pair that reads U, or U transposed.</summary>
    /// <exception cref="OnnxFormatException">No node does.</exception>
    public static NodeProto Expansion(OnnxModel model, FactorPair pair) => Reader(model, pair.U);

    static NodeProto Reader(OnnxModel model, string value)
    {
        var reader = model.Graph.Node.FirstOrDefault(node => node.Input.Contains(value))
            ?? throw new OnnxFormatException(model.Name, $"no node reads the factor '{value}'");
        return reader.OpType == "Transpose" ? Reader(model, reader.Output[0]) : reader;
    }

    static NodeProto[] NodesOf(FactorPair pair, NodeProto dense, long[] kernelOfOne)
    {
        var hidden = $"{pair.Layer}.hidden";
        var turned = $"{pair.Layer}.turned";
        var bias = dense.Input.Skip(2).Where(input => input.Length > 0);
        switch (pair.Kind)
        {
            case LayerKind.Linear:
                return [Node("Gemm", $"{pair.Layer}.project", [dense.Input[0], pair.V], hidden).With("transB", 1),
                    Node("Gemm", $"{pair.Layer}.expand", [hidden, pair.U, .. bias], dense.Output[0])];
            case LayerKind.Product:
                return [Node("Transpose", $"{pair.Layer}.turn", [pair.V], turned).With("perm", 1, 0),
                    Node("MatMul", $"{pair.Layer}.project", [dense.Input[0], turned], hidden),
                    Node("MatMul", $"{pair.Layer}.expand", [hidden, pair.U], dense.Output[0])];
            default:
                var project = dense.Clone();
                project.Name = $"{pair.Layer}.project";
                project.Input.Clear();
                project.Input.AddRange([dense.Input[0], pair.V]);
                project.Output[0] = hidden;
                long[] order = [1, 0, .. Enumerable.Range(2, kernelOfOne.Length).Select(axis => (long)axis)];
                return [project,
                    Node("Transpose", $"{pair.Layer}.turn", [pair.U], turned).With("perm", order),
                    Node("Conv", $"{pair.Layer}.expand", [hidden, turned, .. bias], dense.Output[0]).With("kernel_shape", kernelOfOne)];
        }
    }

    static NodeProto Node(string operation, string name, IEnumerable<string> inputs, string output)
    {
        var node = new NodeProto { OpType = operation, Name = name };
        node.Input.AddRange(inputs);
        node.Output.Add(output);
        return node;
    }

    static void Replace(GraphProto graph, NodeProto old, NodeProto[] replacements)
    {
        var at = graph.Node.IndexOf(old);
        graph.Node.RemoveAt(at);
        for (var i = 0; i < replacements.Length; i++)
        {
            graph.Node.Insert(at + i, replacements[i]);
        }
    }

    static void RemoveInitializer(OnnxModel model, string name)
    {
        model.Graph.Initializer.Remove(model.Initializer(name));
        if (model.Graph.Input.FirstOrDefault(input => input.Name == name) is { } listed)
        {
            model.Graph.Input.Remove(listed);
        }
    }
}
