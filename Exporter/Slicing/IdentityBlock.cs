using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Exporter.Slicing;

/// <summary>Writes a linear layer so that some of its outputs are the hidden values themselves: two products, a Concat, and a Gather where they come out of order.</summary>
static class IdentityBlock
{
    /// <summary>Whether a layer can be written so: convolutions gain nothing by it, a bias must be there to be split, and a Gemm may go without one.</summary>
    public static bool Fits(OnnxModel model, FactorPair pair) => pair.Kind is LayerKind.Linear or LayerKind.Product && pair.Type(model) == TensorProto.Types.DataType.Float
        && PairRewrite.Uses(model, pair) is [var use] && use.Projection.Int("transA", 0) == 0 && use.Expansion.Float("beta", 1) == 1
        && (Bias(use.Expansion) is { } bias
            ? model.Constant(bias) is { } tensor && ElementTypes.Count(tensor) == pair.Out
            : pair.Kind == LayerKind.Product || !model.GemmNeedsBias);

    /// <summary>Numbers in a layer written so: r·(in + out − r).</summary>
    public static long Params(FactorPair pair, int rank) => (long)rank * (pair.In + pair.Out - rank);

    /// <summary>Replaces a pair of nodes that hold all their components.</summary>
    /// <param name="model">The model; it is changed.</param>
    /// <param name="pair">The pair.</param>
    /// <param name="aligned">Its re-based factors.</param>
    public static void Apply(OnnxModel model, FactorPair pair, GaugeAlignment aligned)
    {
        var (project, expand) = PairRewrite.Uses(model, pair)[0];
        var rank = aligned.Inner.Length / pair.In;
        string chosen = $"{pair.Layer}.chosen", others = $"{pair.Layer}.others", joined = aligned.InOrder ? expand.Output[0] : $"{pair.Layer}.joined";
        string inner = $"{pair.Layer}.inner", outer = $"{pair.Layer}.outer";
        var product = pair.Kind == LayerKind.Product;
        var bias = Biases(model, pair, expand, aligned, rank);
        List<NodeProto> nodes =
        [
            product ? Nodes.Create("MatMul", $"{pair.Layer}.project", chosen, project.Input[0], inner) : Nodes.Create("Gemm", $"{pair.Layer}.project", chosen, [project.Input[0], inner, .. bias.Take(1)]).With("transB", 1),
            product ? Nodes.Create("MatMul", $"{pair.Layer}.expand", others, chosen, outer) : Nodes.Create("Gemm", $"{pair.Layer}.expand", others, [chosen, outer, .. bias.Skip(1)]),
            Nodes.Create("Concat", $"{pair.Layer}.join", joined, chosen, others).With("axis", -1),
        ];
        if (!aligned.InOrder)
        {
            nodes.Add(Nodes.Create("Gather", $"{pair.Layer}.order", expand.Output[0], joined, $"{pair.Layer}.places").With("axis", -1));
            model.Graph.Initializer.Add(TensorValues.Create($"{pair.Layer}.places", [pair.Out], Places(aligned.Outputs)));
        }

        PairRewrite.Replace(model, pair, [.. nodes]);
        if (Bias(expand) is { } whole)
        {
            PairRewrite.RemoveUnread(model, whole);
        }

        model.Graph.Initializer.Add(product
            ? TensorValues.Create(inner, [pair.In, rank], Matrices.Transpose(aligned.Inner, rank, pair.In))
            : TensorValues.Create(inner, [rank, pair.In], aligned.Inner));
        model.Graph.Initializer.Add(TensorValues.Create(outer, [rank, pair.Out - rank], aligned.Outer));
    }

    /// <summary>A Gemm's bias, split: the chosen outputs' own, and the others' less what the chosen's brings them.</summary>
    static string[] Biases(OnnxModel model, FactorPair pair, NodeProto expand, GaugeAlignment aligned, int rank)
    {
        if (Bias(expand) is not { } name)
        {
            return [];
        }

        var bias = model.Floats(model.Constant(name)!);
        var own = aligned.Outputs.Take(rank).Select(output => bias[output]).ToArray();
        var width = pair.Out - rank;
        var rest = Enumerable.Range(0, width).Select(column =>
            (float)(bias[aligned.Outputs[rank + column]] - Enumerable.Range(0, rank).Sum(row => (double)aligned.Outer[row * width + column] * own[row]))).ToArray();
        string[] names = [$"{pair.Layer}.chosen_bias", $"{pair.Layer}.others_bias"];
        model.Graph.Initializer.Add(TensorValues.Create(names[0], [rank], own));
        model.Graph.Initializer.Add(TensorValues.Create(names[1], [width], rest));
        return names;
    }

    static string? Bias(NodeProto expand) => expand.Input.Count > 2 && expand.Input[2].Length > 0 ? expand.Input[2] : null;

    // Where in the joined outputs each output of the layer lies.
    static long[] Places(int[] outputs)
    {
        var places = new long[outputs.Length];
        for (var i = 0; i < outputs.Length; i++)
        {
            places[outputs[i]] = i;
        }

        return places;
    }
}
