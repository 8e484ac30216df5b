using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Training.Optimization;

/// <summary>The rules by which gradients change weights.</summary>
public enum OptimizerKind
{
    /// <summary>Gradient descent with momentum: <c>m ← μ·m + g; w ← w − η·m</c>, decay being part of g. The default.</summary>
    Sgd,

    /// <summary>Adam with decay apart from the gradient (Loshchilov and Hutter, arXiv:1711.05101), β = (0.9, 0.98), ε = 1e-8.</summary>
    AdamW,
}

/// <summary>Changes weights by their gradients, and can lose ranks: the one place where gradients become steps.</summary>
/// <remarks>Gradients are clipped first, all parameters together; decay spares tensors of one axis unless told otherwise.</remarks>
sealed class GradientStep(TrainingOptions options) : IDisposable
{
    const double FirstDecay = 0.9, SecondDecay = 0.98, Epsilon = 1e-8; // Vaswani et al., section 5.3

    readonly Dictionary<string, Tensor> _first = [], _second = [];

    /// <summary>Momentum, or Adam's first and second moments, by name: what a checkpoint needs to keep.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Moments =>
        _first.Select(moment => KeyValuePair.Create($"first/{moment.Key}", moment.Value))
            .Concat(_second.Select(moment => KeyValuePair.Create($"second/{moment.Key}", moment.Value)));

    /// <summary>By what a steady gradient's effect exceeds one step's: 1/(1 − μ) under momentum.</summary>
    public double Gain => options.Optimizer == OptimizerKind.Sgd ? 1 / (1 - options.Momentum) : 1;

    /// <summary>Puts one of <see cref="Moments"/> back; the step owns it from now on.</summary>
    public void Restore(string name, Tensor moment) =>
        (name.StartsWith("first/", StringComparison.Ordinal) ? _first : _second)[name[(name.IndexOf('/', StringComparison.Ordinal) + 1)..]] = moment;

    /// <summary>Takes one step and clears the gradients.</summary>
    /// <param name="weights">Tensors by name; those without a gradient are left alone.</param>
    /// <param name="rate">The learning rate.</param>
    /// <param name="taken">Steps taken before this one with these moments.</param>
    public void Apply(IReadOnlyDictionary<string, Tensor> weights, double rate, long taken)
    {
        using var scope = NewDisposeScope();
        using var nothing = no_grad();
        var learning = weights.Where(weight => weight.Value.grad is not null).ToArray();
        var scale = ClipScale([.. learning.Select(weight => weight.Value.grad!)]);
        foreach (var (name, weight) in learning)
        {
            var gradient = weight.grad!;
            if (scale != 1)
            {
                gradient.mul_(scale);
            }

            var decay = weight.dim() >= 2 || options.DecaysAll ? options.WeightDecay : 0;
            if (options.Optimizer == OptimizerKind.Sgd)
            {
                DescendWithMomentum(name, weight, gradient, rate, decay);
            }
            else
            {
                DescendByAdam(name, weight, gradient, rate, decay, taken + 1);
            }

            gradient.zero_();
        }
    }

    /// <summary>Cuts the state of a factor that was cut to its first rows.</summary>
    public void Shrink(string name, int rows)
    {
        using var scope = NewDisposeScope();
        foreach (var moments in new[] { _first, _second })
        {
            if (moments.Remove(name, out var old) && rows > 0)
            {
                moments[name] = old[..rows].clone().DetachFromDisposeScope();
            }

            old?.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, moment) in Moments)
        {
            moment.Dispose();
        }
    }

    double ClipScale(Tensor[] gradients)
    {
        if (double.IsPositiveInfinity(options.ClipNorm) || gradients.Length == 0)
        {
            return 1;
        }

        var norm = stack([.. gradients.Select(gradient => gradient.norm())]).norm().item<float>();
        return norm > options.ClipNorm ? options.ClipNorm / norm : 1;
    }

    void DescendWithMomentum(string name, Tensor weight, Tensor gradient, double rate, double decay)
    {
        if (decay > 0)
        {
            gradient.add_(weight, alpha: decay);
        }

        weight.add_(Moment(_first, name, weight).mul_(options.Momentum).add_(gradient), alpha: -rate);
    }

    void DescendByAdam(string name, Tensor weight, Tensor gradient, double rate, double decay, long count)
    {
        var first = Moment(_first, name, weight).mul_(FirstDecay).add_(gradient, alpha: 1 - FirstDecay);
        var second = Moment(_second, name, weight).mul_(SecondDecay).addcmul_(gradient, gradient, value: 1 - SecondDecay);
        if (decay > 0)
        {
            weight.mul_(1 - rate * decay);
        }

        var spread = (second / (1 - Math.Pow(SecondDecay, count))).sqrt_().add_(Epsilon);
        weight.addcdiv_(first, spread, value: -rate / (1 - Math.Pow(FirstDecay, count)));
    }

    static Tensor Moment(Dictionary<string, Tensor> moments, string name, Tensor weight)
    {
        if (!moments.TryGetValue(name, out var moment))
        {
            moment = zeros_like(weight).DetachFromDisposeScope();
            moments[name] = moment;
        }

        return moment;
    }
}
