using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Factoring;

/// <summary>The mean and the second moment <c>E[y·yᵀ]</c> of one layer's responses <c>y = W·x</c>, and <c>E[g·gᵀ]</c> of the outputs' gradients by them, gathered batch by batch.</summary>
/// <remarks>
/// All are held in an orthonormal basis B [out, r] of W's column space, r = min(out, in): r² numbers, and whatever is made of them lies
/// in that space exactly, seen by the data or not.
/// </remarks>
sealed class ResponseMoment : IDisposable
{
    const long MostBytes = 256 << 20;

    // Samples of a batch that a convolution answers at thousands of places say little more than some thousands of the answers do.
    const int MostRows = 4096;

    // Of directions that the data never took, the larger weights come first, as in a plain decomposition.
    const double UnseenShare = 1e-6;

    // A gradient says how much a small error matters. Large ones, such as many layers cut at once, go where it points to little too.
    const double EvenShare = 0.5;

    // A layer that is trained once it is cut keeps to its few directions. Those of the largest answers, of photographs their brightness and colours, leave it blind to what its weights look
    // for: they have so much of a say, as a share of the answers' energy.
    const double WeightShare = 0.2;

    // Answers that are all the same still differ by what single precision rounds.
    const double RoundingShare = 1e-6;

    readonly WeightLayer _layer;
    readonly Tensor _basis, _weight, _sum, _total, _sensitivity;
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
        _total = zeros(_weight.shape[0], float64).MoveToOuterDisposeScope();
        _sensitivity = zeros_like(_sum).MoveToOuterDisposeScope();
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
        var inBasis = InBasis(NativeTensor.From(rows, rows.Length / _layer.Out, _layer.Out));
        AddTo(_sum, inBasis.t().matmul(inBasis));
        AddTo(_total, inBasis.sum(0L));
        _rows += rows.Length / _layer.Out;
    }

    /// <summary>Adds gradients by some answers.</summary>
    /// <param name="gradients">Rows [n, out].</param>
    public void AddGradients(Tensor gradients)
    {
        using var scope = NewDisposeScope();
        var inBasis = InBasis(gradients);
        AddTo(_sensitivity, inBasis.t().matmul(inBasis));
    }

    /// <summary>The principal directions of the responses, the one that costs most to cut first.</summary>
    /// <param name="centred">Whether answers count by how they vary, as where the layer is trained once it is cut: its bias then takes up the mean of what is lost.</param>
    /// <returns>The directions; null where there were no responses, some were not numbers, or all are to vary and do not.</returns>
    public PrincipalDirections? Directions(bool centred)
    {
        using var scope = NewDisposeScope();
        using var rows = tensor((double)Math.Max(1, _rows));
        var (mean, second) = (_total / rows, _sum / rows);
        var moment = centred ? second - mean.outer(mean) : second;
        var (energy, isotropic) = (moment.trace().item<double>(), _weight.matmul(_weight.t()));
        if (_rows == 0 || !double.IsFinite(energy) || (centred && energy <= RoundingShare * second.trace().item<double>()))
        {
            return null;
        }

        var byWeights = energy > 0 ? (centred ? WeightShare : UnseenShare) * energy / Math.Max(double.Epsilon, isotropic.trace().item<double>()) : 1;
        var (root, inverse) = Roots();
        var vectors = linalg.eigh(root.matmul(moment + isotropic * tensor(byWeights)).matmul(root)).Item2.flip(1);
        var energies = (vectors * root.matmul(moment).matmul(root).matmul(vectors)).sum(0L).clamp_min(0);
        return new PrincipalDirections(_basis.matmul(inverse.matmul(vectors)).MoveToOuterDisposeScope(), _basis.matmul(root.matmul(vectors)).MoveToOuterDisposeScope(),
            energies.data<double>().ToArray());
    }

    Tensor InBasis(Tensor rows) => rows.matmul(_basis.to(float32));

    static void AddTo(Tensor sum, Tensor batch)
    {
        using Scalar once = 1; // held: one that TorchSharp makes for itself may be collected while Torch reads it
        sum.add_(batch.to(float64), once);
    }

    /// <summary>The root R [r, r] of the sensitivity, half of it even and the mean of its eigenvalues 1, and R⁻¹; ones where there are no gradients, or some were not numbers.</summary>
    (Tensor Root, Tensor Inverse) Roots()
    {
        var (mean, even) = (_sensitivity.trace().item<double>() / _sensitivity.shape[0], eye(_sensitivity.shape[0], dtype: float64));
        if (!(mean > 0 && double.IsFinite(mean)))
        {
            return (even, even);
        }

        var (values, vectors) = linalg.eigh(_sensitivity * tensor((1 - EvenShare) / mean) + even * tensor(EvenShare));
        var roots = values.clamp_min(EvenShare).sqrt();
        return ((vectors * roots).matmul(vectors.t()), (vectors / roots).matmul(vectors.t()));
    }

    public void Dispose()
    {
        _basis.Dispose();
        _weight.Dispose();
        _sum.Dispose();
        _total.Dispose();
        _sensitivity.Dispose();
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

/// <summary>Directions P [out, r] of what a layer can answer, the one that costs most to cut first.</summary>
/// <param name="Vectors">P, in columns, double.</param>
/// <param name="Duals">D [out, r] with Dᵀ·P = 1: Dᵀ·y is how much of each direction an answer y holds.</param>
/// <param name="Energies">What cutting each costs: E[(dᵀ·y)²], or its variance where training takes up the mean.</param>
sealed record PrincipalDirections(Tensor Vectors, Tensor Duals, double[] Energies) : IDisposable
{
    public void Dispose()
    {
        Vectors.Dispose();
        Duals.Dispose();
    }
}
