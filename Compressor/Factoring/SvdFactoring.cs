using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Factoring;

/// <summary>Replaces every factorable weight by the factors of its singular value decomposition, at full rank.</summary>
/// <remarks>
/// <c>W = P·S·Qᵀ</c> becomes <c>U = (P·√S)ᵀ</c> and <c>V = √S·Qᵀ</c>, so that both factors share the scale and the largest
/// component comes first; the model's outputs stay as they were but for rounding. Source: Maestro, section 3, initialisation.
/// With <see cref="PrincipalResponses"/>, U holds their directions in their order and V what W says of each, again of one length.
/// </remarks>
public static class SvdFactoring
{
    /// <summary>Factors a copy of a model.</summary>
    /// <param name="model">A dense model; it is not changed.</param>
    /// <param name="provenance">How it came to be.</param>
    /// <param name="choice">Which layers; null for all.</param>
    /// <param name="rankShare">Share of each layer's full rank that is kept, in (0, 1].</param>
    /// <remarks>The batch's size, if the model fixes one, is left open, as training wants it.</remarks>
    /// <exception cref="OnnxFormatException">The model has no such weight that can be factored.</exception>
    public static LodModel Factor(OnnxModel model, LodProvenance provenance, LayerChoice? choice = null, double rankShare = 1)
    {
        var open = model.Clone();
        open.OpenBatchAxis();
        return Decompose(open, provenance, choice, rankShare).Model;
    }

    /// <summary>Factors a copy of a model, and tells how the energy of each layer is spread over its components.</summary>
    /// <param name="model">A dense model; it is not changed.</param>
    /// <param name="provenance">How it came to be.</param>
    /// <param name="choice">Which layers; null for all.</param>
    /// <param name="rankShare">Share of each layer's full rank that is kept, in (0, 1].</param>
    /// <param name="responses">What its layers answer on real inputs, by which components are then ordered; null to go by the weights alone.</param>
    /// <exception cref="OnnxFormatException">The model has no such weight that can be factored.</exception>
    public static (LodModel Model, IReadOnlyList<LayerSpectrum> Spectra) Decompose(
        OnnxModel model, LodProvenance provenance, LayerChoice? choice = null, double rankShare = 1, PrincipalResponses? responses = null)
    {
        var factored = model.Clone();
        factored.InlineData();
        NormStatistics.MakeOwn(factored);
        List<FactorPair> pairs = [];
        List<LayerSpectrum> spectra = [];
        foreach (var layer in Layers(factored, choice ?? LayerChoice.All))
        {
            var (u, v, energies) = Split(Matrix(factored, layer), layer.Out, layer.Columns, responses?.Of(layer));
            var kept = (int)Math.Ceiling(rankShare * Math.Min(layer.Out, layer.Columns));
            pairs.Add(PairRewrite.Factor(factored, layer, u.AsSpan(0, kept * layer.Out), v.AsSpan(0, kept * layer.Columns)));
            spectra.Add(new LayerSpectrum(layer.Name, energies));
        }

        return (new LodModel(factored, pairs, provenance), spectra);
    }

    /// <summary>Makes sure that a model can be factored, before anyone trains it for hours.</summary>
    /// <exception cref="OnnxFormatException">It has no such weight, or one that is not of numbers.</exception>
    public static void Check(OnnxModel model, LayerChoice choice)
    {
        foreach (var layer in Layers(model, choice))
        {
            Matrix(model, layer);
        }
    }

    internal static List<WeightLayer> Layers(OnnxModel model, LayerChoice choice)
    {
        var all = WeightLayers.Find(model, out var skipped);
        var chosen = choice.Of(all).ToList();
        if (chosen.Count > 0)
        {
            return chosen;
        }

        var why = all.Count > 0 ? $": of {string.Join(", ", all.Select(layer => layer.Name))}, the choice leaves none"
            : skipped.Count > 0 ? $"; '{skipped[0].Node}', for one, is left because {skipped[0].Why}" : "";
        throw new OnnxFormatException(model.Name, $"none of its weights can be factored{why}");
    }

    static float[] Matrix(OnnxModel model, WeightLayer layer)
    {
        var matrix = layer.Matrix(model);
        return matrix.All(float.IsFinite)
            ? matrix
            : throw new OnnxFormatException(model.Name, $"the weight of '{layer.Name}' holds values that are infinite or not numbers");
    }

    /// <summary>The factors U [r, rows] and V [r, columns] of W [rows, columns], with r = min(rows, columns), and each component's energy.</summary>
    static (float[] U, float[] V, double[] Energies) Split(float[] matrix, int rows, int columns, PrincipalDirections? directions)
    {
        using var scope = NewDisposeScope();
        // In double: the error of the model's outputs is then the rounding of the result alone.
        var weight = NativeTensor.From(matrix, rows, columns).to(float64);
        if (directions is null)
        {
            var (p, s, qt) = linalg.svd(weight, fullMatrices: false);
            var root = s.sqrt().unsqueeze(1);
            return (Floats(p.t() * root), Floats(root * qt), s.square().data<double>().ToArray());
        }

        var (u, v) = (directions.Vectors.t(), directions.Duals.t().matmul(weight));
        var balance = (Lengths(v) / Lengths(u)).sqrt();
        // A component of length 0 stays as it is: there is nothing to share.
        return (Floats(u * balance), Floats(v / where(balance == 0, ones_like(balance), balance)), directions.Energies);
    }

    static Tensor Lengths(Tensor rows) => linalg.vector_norm(rows, dims: [1L]).unsqueeze(1);

    static float[] Floats(Tensor values) => values.to(float32).contiguous().data<float>().ToArray();
}
