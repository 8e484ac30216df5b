using MaestroDeploy.Onnx;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Normalisations.</summary>
static class Normalization
{
    /// <summary>BatchNorm on [N, C, …]: inputs x, scale, bias, running mean, running variance.</summary>
    /// <remarks>
    /// Only the full pass moves the running statistics: a pass at smaller ranks sees other activations, and each variant is
    /// recalibrated when it is exported. Statistics that several nodes share, or that are no initializers, cannot be moved: they are used as they are, in training too.
    /// </remarks>
    public static Operator Batch(NodeSource source)
    {
        source.Refuse(source.Node.Int("training_mode", 0) != 0, "a BatchNormalization that is exported for training");
        source.Refuse(source.Node.Int("spatial", 1) == 0, "a BatchNormalization of each element by itself");
        var epsilon = source.Node.Float("epsilon", 1e-5f);
        var momentum = 1 - source.Node.Float("momentum", 0.9f); // ONNX keeps this share of the old value, Torch takes this share of the new
        var moves = source.IsStored(3) && source.IsStored(4);
        return (inputs, mode) => [moves && (mode == ForwardMode.TrainAtRanks || mode == ForwardMode.TrainFull && IsSingle(inputs[0]!))
            ? nn.functional.batch_norm(inputs[0]!, null!, null!, inputs[1], inputs[2], training: true, momentum, epsilon)
            : nn.functional.batch_norm(inputs[0]!, inputs[3]!, inputs[4]!, inputs[1], inputs[2], moves && mode == ForwardMode.TrainFull, momentum, epsilon)];
    }

    // One value a channel has no variance to move towards.
    static bool IsSingle(Tensor x) => x.numel() == x.shape[1];

    /// <summary>LayerNorm over the axes from <c>axis</c> on: inputs x, scale, and a bias or none; its mean and 1/deviation are given out if wanted.</summary>
    public static Operator Layer(NodeSource source)
    {
        var axis = source.Node.Int("axis", -1);
        var epsilon = source.Node.Float("epsilon", 1e-5f);
        var givesStatistics = source.IsWanted(1) || source.IsWanted(2);
        return (inputs, _) =>
        {
            var x = inputs[0]!;
            var y = Scaled(x, x.shape[Axes.Of(axis, x)..], inputs[1]!, inputs.Length > 2 ? inputs[2] : null, epsilon);
            var axes = Axes.From(Axes.Of(axis, x), x);
            return givesStatistics
                ? [y, x.mean(axes, keepdim: true), (x.var(axes, unbiased: false, keepdim: true) + epsilon).rsqrt()]
                : [y];
        };
    }

    /// <summary>Each channel of each sample by itself: inputs x [N, C, …], scale [C], bias [C].</summary>
    public static Operator Instance(NodeSource source)
    {
        var epsilon = source.Node.Float("epsilon", 1e-5f);
        return (inputs, _) => [nn.functional.group_norm(inputs[0]!, inputs[0]!.shape[1], inputs[1], inputs[2], epsilon)];
    }

    /// <summary>Channels in groups: inputs x [N, C, …], scale and bias [C]; before opset 21 they were [groups].</summary>
    public static Operator Group(NodeSource source)
    {
        var (groups, epsilon) = (source.Node.Int("num_groups", 1), source.Node.Float("epsilon", 1e-5f));
        return (inputs, _) =>
        {
            var repeats = source.Opset < 21 ? inputs[0]!.shape[1] / groups : 1;
            return [nn.functional.group_norm(inputs[0]!, groups, inputs[1]!.repeat_interleave(repeats), inputs[2]!.repeat_interleave(repeats), epsilon)];
        };
    }

    /// <summary>An axis divided by its p-norm.</summary>
    public static Operator Lp(NodeSource source)
    {
        const double LeastNorm = 1e-30; // so that zeros stay zeros
        var (axis, p) = (source.Node.Int("axis", -1), source.Node.Int("p", 2));
        return (inputs, _) => [inputs[0]! / Reductions.Norm(inputs[0]!, p, [axis], keeps: true).clamp_min(LeastNorm)];
    }

    /// <summary>x / (bias + alpha/size·Σ x²)^beta, the sum over <c>size</c> channels around each.</summary>
    public static Operator LocalResponse(NodeSource source)
    {
        var size = source.Node.Int("size", 1);
        var (alpha, beta, bias) = (source.Node.Float("alpha", 1e-4f), source.Node.Float("beta", 0.75f), source.Node.Float("bias", 1));
        return (inputs, _) =>
        {
            var x = inputs[0]!;
            var squares = Window.Padded(x.square().reshape(x.shape[0], 1, x.shape[1], -1), [(size - 1) / 2, 0], [size / 2, 0]);
            var means = nn.functional.avg_pool2d(squares, [size, 1], [1, 1]).reshape(x.shape);
            return [x / (means * alpha + bias).pow(beta)];
        };
    }

    /// <summary>To a mean of 0 and a variance of 1 over some axes.</summary>
    public static Operator MeanVariance(NodeSource source)
    {
        const double Epsilon = 1e-9; // the specification's
        var axes = source.Node.Ints("axes") ?? [0, 2, 3];
        return (inputs, _) =>
        {
            var centred = inputs[0]! - inputs[0]!.mean(axes, keepdim: true);
            return [centred / (centred.square().mean(axes, keepdim: true).sqrt() + Epsilon)];
        };
    }

    // Torch wants scale and bias in the very shape that is normalised; ONNX broadcasts them.
    static Tensor Scaled(Tensor x, long[] shape, Tensor scale, Tensor? bias, double epsilon)
    {
        if (scale.shape.SequenceEqual(shape) && (bias is null || bias.shape.SequenceEqual(shape)))
        {
            return nn.functional.layer_norm(x, shape, scale, bias, epsilon);
        }

        var y = nn.functional.layer_norm(x, shape, eps: epsilon) * scale;
        return bias is null ? y : y + bias;
    }
}
