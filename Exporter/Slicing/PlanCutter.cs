using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter.Slicing;

/// <summary>Cuts a trained model to plans: each factored layer to a rank, or multiplied back to its dense weight.</summary>
/// <param name="lod">The trained model; it is not changed.</param>
public sealed class PlanCutter(LodModel lod)
{
    // Multiplying a layer back is the one slow part of a cut, and several variants want the same.
    readonly Dictionary<string, float[]> _dense = [];

    /// <summary>The model under a plan, its tensors inline.</summary>
    public OnnxModel Cut(RankPlan plan)
    {
        var model = lod.CloneUnlabelled();
        foreach (var pair in lod.Pairs)
        {
            if (plan[pair.Layer].Components is { } rank)
            {
                PairRewrite.Truncate(model, pair, rank);
            }
            else
            {
                var weight = $"{pair.Layer}.weight";
                PairRewrite.Merge(model, pair, weight);
                model.Graph.Initializer.Add(TensorValues.Create(weight, PairRewrite.DenseDims(pair), Dense(pair), pair.Type(lod.Model)));
            }
        }

        return model;
    }

    /// <summary>The uncut model with every component beyond the plan set to zero: the same outputs by another way.</summary>
    public OnnxModel Reference(RankPlan plan)
    {
        var model = lod.CloneUnlabelled();
        foreach (var pair in lod.Pairs)
        {
            if (plan[pair.Layer].Components is { } rank)
            {
                var v = model.Initializer(pair.V)!;
                var values = model.Floats(v);
                values.AsSpan(rank * pair.In).Clear();
                model.ReplaceInitializer(TensorValues.Create(pair.V, [.. v.Dims], values, pair.Type(lod.Model)));
            }
        }

        return model;
    }

    float[] Dense(FactorPair pair)
    {
        if (!_dense.TryGetValue(pair.Layer, out var weight))
        {
            weight = PairRewrite.DenseValues(pair, pair.Product(lod.Model));
            _dense[pair.Layer] = weight;
        }

        return weight;
    }
}
