using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Training;

/// <summary>Stochastic gradient descent with momentum, which can lose ranks: the one place where gradients change weights.</summary>
/// <remarks><c>m ← μ·m + g; w ← w − η·m</c>, with decay in g on tensors of two axes and more, after g is clipped.</remarks>
sealed class GradientStep(double momentum, double decay, double clipNorm) : IDisposable
{
    readonly Dictionary<string, Tensor> _moments = [];

    /// <summary>Takes one step and clears the gradients.</summary>
    public void Apply(IReadOnlyDictionary<string, Tensor> weights, double rate)
    {
        using var scope = NewDisposeScope();
        using var nothing = no_grad();
        var learning = weights.Where(weight => weight.Value.grad is not null).ToArray();
        var squares = learning.Select(weight => (weight.Value.grad! * weight.Value.grad!).sum()).ToArray();
        var norm = Math.Sqrt(squares.Length == 0 ? 0 : stack(squares).sum().item<float>());
        var scale = norm > clipNorm ? clipNorm / norm : 1;
        foreach (var (name, weight) in learning)
        {
            var gradient = weight.grad!;
            if (scale != 1)
            {
                gradient.mul_(scale);
            }

            if (decay > 0 && weight.dim() >= 2)
            {
                gradient.add_(weight, alpha: decay);
            }

            var moment = Moment(name, weight);
            moment.mul_(momentum).add_(gradient);
            weight.add_(moment, alpha: -rate);
            gradient.zero_();
        }
    }

    /// <summary>Cuts the state of a factor that was cut to its first rows.</summary>
    public void Shrink(string name, int rows)
    {
        if (_moments.TryGetValue(name, out var old))
        {
            using var scope = NewDisposeScope();
            _moments[name] = old[..rows].clone().DetachFromDisposeScope();
            old.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var moment in _moments.Values)
        {
            moment.Dispose();
        }
    }

    Tensor Moment(string name, Tensor weight)
    {
        if (!_moments.TryGetValue(name, out var moment))
        {
            moment = zeros_like(weight).DetachFromDisposeScope();
            _moments[name] = moment;
        }

        return moment;
    }
}
