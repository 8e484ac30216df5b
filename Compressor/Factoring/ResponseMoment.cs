using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Runtime;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Factoring;

/// <summary>The second moment <c>E[y·yᵀ]</c> of one layer's responses <c>y = W·x</c>, gathered batch by batch.</summary>
/// <remarks>
/// It is held in an orthonormal basis B [out, r] of W's column space, r = min(out, in): r² numbers, and whatever is made of them lies
/// in that space exactly, seen by the data or not.
/// </remarks>
sealed class ResponseMoment : IDisposable
{
    const long MostBytes = 256 << 20;

    // Samples of a batch that a convolution answers at thousands of places say little more than some thousands of the answers do.
    const int MostRows = 4096;

    // Of directions that the data never took, the larger weights come first, as in a plain decomposition.
    const double UnseenShare = 1e-6;

    readonly WeightLayer _layer;
    readonly Tensor _basis, _weight, _sum;
    readonly Random _random = new(1);
    long _rows;

    /// <param name="layer">The layer.</param>
    /// <param name="matrix">Its weight [out, in], row-major.</param>
    public ResponseMoment(WeightLayer layer, float[] matrix)
    {
        using var scope = NewDisposeScope();
        _layer = layer;
        var weight = NativeTensor.From(matrix, layer.Out, layer.Columns).to(float64);
        var basis = layer.Out > layer.Columns ? linalg.qr(weight).Q : eye(layer.Out, dtype: float64);
        _basis = basis.MoveToOuterDisposeScope();
        _weight = basis.t().matmul(weight).MoveToOuterDisposeScope();
        _sum = zeros(_weight.shape[0], _weight.shape[0], float64).MoveToOuterDisposeScope();
    }

    /// <summary>Whether a layer's moment would pass 256 MB.</summary>
    public static bool IsTooLarge(WeightLayer layer) => Math.Pow(Math.Min(layer.Out, layer.Columns), 2) * sizeof(double) > MostBytes;

    /// <summary>Adds a batch of answers.</summary>
    /// <param name="answer">W·x + bias: [N, out, …] of a convolution, […, out, n] of a weight on the left, […, out] of others.</param>
    /// <param name="bias">One number a channel, or one for each answer; null for none.</param>
    public void Add(NamedTensor answer, float[]? bias)
    {
        using var scope = NewDisposeScope();
        var rows = Rows(answer, bias ?? new float[_layer.Out]);
        var inBasis = NativeTensor.From(rows, rows.Length / _layer.Out, _layer.Out).matmul(_basis.to(float32));
        _sum.add_(inBasis.t().matmul(inBasis).to(float64));
        _rows += inBasis.shape[0];
    }

    /// <summary>The principal directions of the responses, the strongest first.</summary>
    /// <returns>
    /// Orthonormal columns [out, r] and the energy E[(pᵀ·y)²] along each; null where there were no responses, or some were not numbers.
    /// </returns>
    public PrincipalDirections? Directions()
    {
        using var scope = NewDisposeScope();
        var moment = _sum / Math.Max(1, _rows);
        var (energy, isotropic) = (moment.trace().item<double>(), _weight.matmul(_weight.t()));
        if (_rows == 0 || !double.IsFinite(energy))
        {
            return null;
        }

        var unseen = energy > 0 ? UnseenShare * energy / Math.Max(double.Epsilon, isotropic.trace().item<double>()) : 1;
        var vectors = linalg.eigh(moment + unseen * isotropic).Item2.flip(1);
        var energies = (vectors * moment.matmul(vectors)).sum(0L).clamp_min(0);
        return new PrincipalDirections(_basis.matmul(vectors).MoveToOuterDisposeScope(), energies.data<double>().ToArray());
    }

    public void Dispose()
    {
        _basis.Dispose();
        _weight.Dispose();
        _sum.Dispose();
    }

    /// <summary>One row of <c>out</c> numbers for each time that the weight was applied, or for some of them, drawn evenly.</summary>
    float[] Rows(NamedTensor answer, float[] bias)
    {
        var channels = _layer.Out;
        var places = _layer.Kind switch
        {
            LayerKind.Conv => answer.Shape.Skip(2).Aggregate(1, (product, size) => product * size),
            LayerKind.Left when answer.Shape.Length > 1 => answer.Shape[^1],
            _ => 1,
        };
        var count = answer.Values.Length / channels;
        var taken = Math.Min(count, MostRows);
        var rows = new float[taken * channels];
        for (var i = 0; i < taken; i++)
        {
            var (sample, place) = Math.DivRem(count > taken ? _random.Next(count) : i, places);
            for (var channel = 0; channel < channels; channel++)
            {
                var at = (sample * channels + channel) * places + place;
                rows[i * channels + channel] = answer.Values[at] - bias[bias.Length == channels ? channel : at];
            }
        }

        return rows;
    }
}

/// <summary>An orthonormal basis of what a layer can answer, the direction that carries most of its responses' energy first.</summary>
/// <param name="Vectors">Columns [out, r], double.</param>
/// <param name="Energies">E[(pᵀ·y)²] along each: what cutting it costs.</param>
sealed record PrincipalDirections(Tensor Vectors, double[] Energies) : IDisposable
{
    public void Dispose() => Vectors.Dispose();
}
