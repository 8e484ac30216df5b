using MaestroDeploy.Onnx;
using TorchSharp;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Normalisations.</summary>
static class Normalization
{
    /// <summary>BatchNorm on [N, C, …]: inputs x, scale, bias, running mean, running variance.</summary>
    /// <remarks>
    /// Only the full pass moves the running statistics: a pass at smaller ranks sees other activations, and each variant is
    /// recalibrated when it is exported.
    /// </remarks>
    public static Operator Batch(NodeSource source)
    {
        var epsilon = source.Node.Float("epsilon", 1e-5f);
        var momentum = 1 - source.Node.Float("momentum", 0.9f); // ONNX keeps this share of the old value, Torch takes this share of the new
        return (inputs, mode) => mode == ForwardMode.TrainAtRanks
            ? torch.nn.functional.batch_norm(inputs[0]!, null!, null!, inputs[1], inputs[2], training: true, momentum, epsilon)
            : torch.nn.functional.batch_norm(inputs[0]!, inputs[3]!, inputs[4]!, inputs[1], inputs[2], mode == ForwardMode.TrainFull, momentum, epsilon);
    }

    /// <summary>LayerNorm over the axes from <c>axis</c> on: inputs x, scale, and a bias or none.</summary>
    public static Operator Layer(NodeSource source)
    {
        var axis = (int)source.Node.Int("axis", -1);
        var epsilon = source.Node.Float("epsilon", 1e-5f);
        if (source.Node.Output.Count > 1)
        {
            throw source.Unsupported("it gives its mean and deviation out");
        }

        return (inputs, _) =>
        {
            var x = inputs[0]!;
            return torch.nn.functional.layer_norm(x, x.shape[(axis < 0 ? axis + (int)x.dim() : axis)..], inputs[1], inputs.Length > 2 ? inputs[2] : null, epsilon);
        };
    }
}
