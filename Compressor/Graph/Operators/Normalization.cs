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
}
