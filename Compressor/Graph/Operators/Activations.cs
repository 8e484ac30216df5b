using MaestroDeploy.Onnx;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Activation functions. Source of each formula and default: the ONNX operator specifications.</summary>
static class Activations
{
    /// <summary>A function with one number, α.</summary>
    public static OperatorEntry WithAlpha(float otherwise, Func<Tensor, double, Tensor> function) => new(1, source =>
    {
        var alpha = source.Node.Float("alpha", otherwise);
        return (inputs, _) => [function(inputs[0]!, alpha)];
    });

    public static Operator Gelu(NodeSource source)
    {
        var form = source.Node.Text("approximate", "none") == "tanh" ? TorchSharp.Modules.GELU.Approximate.tanh : TorchSharp.Modules.GELU.Approximate.none;
        return (inputs, _) => [inputs[0]!.gelu(form)];
    }

    public static Operator HardSigmoid(NodeSource source)
    {
        var (alpha, beta) = (source.Node.Float("alpha", 0.2f), source.Node.Float("beta", 0.5f));
        return (inputs, _) => [(inputs[0]! * alpha + beta).clamp(0, 1)];
    }

    public static Tensor HardSwish(Tensor x) => x * (x / 6 + 0.5f).clamp(0, 1);

    /// <summary>γ·x above zero, γ·α·(eˣ − 1) below.</summary>
    public static Operator Selu(NodeSource source)
    {
        var (alpha, gamma) = (source.Node.Float("alpha", 1.67326319217681884765625f), source.Node.Float("gamma", 1.05070102214813232421875f));
        return (inputs, _) => [(inputs[0]!.relu() + inputs[0]!.clamp_max(0).expm1() * alpha) * gamma];
    }

    /// <summary>x above zero, slope·x below; before opset 7 a slope [C] was one for each channel of [N, C, …], since then it is broadcast.</summary>
    public static Operator PRelu(NodeSource source) => (inputs, _) =>
    {
        Tensor x = inputs[0]!, slope = inputs[1]!;
        slope = source.Opset < 7 && slope.numel() > 1 ? slope.reshape([-1, .. Enumerable.Repeat(1L, (int)x.dim() - 2)]) : slope;
        return [where(x.gt(0), x, x * slope)];
    };

    /// <summary>x + bias below −λ, x − bias above λ, 0 between.</summary>
    public static Operator Shrink(NodeSource source)
    {
        var (bias, lambda) = (source.Node.Float("bias", 0), source.Node.Float("lambd", 0.5f));
        return (inputs, _) =>
        {
            var x = inputs[0]!;
            return [((x + bias) * x.lt(-lambda) + (x - bias) * x.gt(lambda)).to(x.dtype)];
        };
    }

    /// <summary>A function along one axis; before opset 13 all axes from that one on were one.</summary>
    public static OperatorEntry Along(Func<Tensor, long, Tensor> function) => new(1, source =>
    {
        var axis = source.Node.Int("axis", source.Opset >= 13 ? -1 : 1);
        return source.Opset >= 13
            ? (inputs, _) => [function(inputs[0]!, axis)]
            : (inputs, _) =>
            {
                var x = inputs[0]!;
                var first = Axes.Of(axis, x);
                return [first == x.dim() - 1 ? function(x, -1) : function(x.flatten(first), first).reshape(x.shape)];
            };
    });

    /// <summary>1 at the largest element of the axis, 0 elsewhere.</summary>
    public static Tensor Hardmax(Tensor x, long axis) => zeros_like(x).scatter(axis, x.argmax(axis, keepdim: true), ones_like(x));
}
