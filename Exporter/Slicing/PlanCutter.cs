using MaestroDeploy.Exporter.Planning;
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
    readonly Dictionary<(string Layer, int Rank), bool> _alignable = [];

    /// <summary>The model under a plan, its tensors inline.</summary>
    /// <exception cref="ArgumentException">A layer that is to be an identity block cannot be one.</exception>
    public OnnxModel Cut(FormedPlan plan)
    {
        var model = lod.CloneUnlabelled();
        foreach (var pair in lod.Pairs)
        {
            Write(model, pair, plan.FormOf(pair.Layer), plan.Ranks[pair.Layer].Components ?? 0);
        }

        return model;
    }

    /// <summary>The model under a plan of pairs, its tensors inline.</summary>
    public OnnxModel Cut(RankPlan plan) => Cut(FormedPlan.Pairs(plan));

    /// <summary>Whether a layer can be an identity block at a rank.</summary>
    public bool CanAlign(FactorPair pair, int rank)
    {
        if (!_alignable.TryGetValue((pair.Layer, rank), out var can))
        {
            can = IdentityBlock.Fits(lod.Model, pair) && Align(pair, rank) is not null;
            _alignable[(pair.Layer, rank)] = can;
        }

        return can;
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

    void Write(OnnxModel model, FactorPair pair, LayerForm form, int rank)
    {
        switch (form)
        {
            case LayerForm.Pair:
                PairRewrite.Truncate(model, pair, rank);
                break;
            case LayerForm.IdentityBlock:
                IdentityBlock.Apply(model, pair, Align(pair, rank) ?? throw new ArgumentException($"Layer '{pair.Layer}' cannot be an identity block at rank {rank}."));
                break;
            default:
                var weight = $"{pair.Layer}.weight";
                PairRewrite.Merge(model, pair, weight);
                model.Graph.Initializer.Add(TensorValues.Create(weight, PairRewrite.DenseDims(pair), Dense(pair), pair.Type(lod.Model)));
                break;
        }
    }

    GaugeAlignment? Align(FactorPair pair, int rank) => GaugeAlignment.Of(
        lod.Model.Floats(lod.Model.Initializer(pair.U)!), lod.Model.Floats(lod.Model.Initializer(pair.V)!), rank, pair.Out, pair.In);

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
