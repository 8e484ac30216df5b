using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter.Slicing;

/// <summary>Cuts a trained model to plans: each factored layer to a rank, or multiplied back to its dense weight.</summary>
/// <param name="lod">The trained model; it is not changed.</param>
public sealed class PlanCutter(LodModel lod)
{
    // Numbers of re-based factors that are kept, 256 MB: planning asks for a layer at twenty ranks, which together are seven times its weight.
    const long MostKept = 64 << 20;

    // Multiplying a layer back and re-basing it are the slow parts of a cut, and several variants want the same.
    readonly Dictionary<string, float[]> _dense = [];
    readonly Dictionary<(string Layer, int Rank), (bool Can, GaugeAlignment? Kept)> _aligned = [];
    long _kept;

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
    public bool CanAlign(FactorPair pair, int rank) =>
        IdentityBlock.Fits(lod.Model, pair) && (_aligned.TryGetValue((pair.Layer, rank), out var known) ? known.Can : Align(pair, rank) is not null);

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

    GaugeAlignment? Align(FactorPair pair, int rank)
    {
        if (_aligned.TryGetValue((pair.Layer, rank), out var known) && (known.Kept is not null || !known.Can))
        {
            return known.Kept;
        }

        var aligned = GaugeAlignment.Of(lod.Model.Floats(lod.Model.Initializer(pair.U)!), lod.Model.Floats(lod.Model.Initializer(pair.V)!), rank, pair.Out, pair.In);
        _kept += aligned is null ? 0 : aligned.Inner.Length + aligned.Outer.Length;
        _aligned[(pair.Layer, rank)] = (aligned is not null, _kept <= MostKept ? aligned : null);
        return aligned;
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
