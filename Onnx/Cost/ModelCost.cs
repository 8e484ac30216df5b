namespace MaestroDeploy.Onnx.Cost;

/// <summary>What a model costs: how many numbers it learnt, and how many products it forms for one sample.</summary>
/// <param name="Params">Elements of its learnt tensors, bodies of If and Loop among them, but not BatchNorm's running mean and variance, as the field
/// counts: all floating-point initializers, and the Constant nodes that convolutions, products, norms and recurrent layers read.</param>
/// <param name="Macs">Multiply-accumulates for one sample in the main graph's convolutions, matrix products and recurrent layers; other operators are not counted.</param>
public sealed record ModelCost(long Params, long Macs)
{
    /// <summary>Counts a model.</summary>
    /// <param name="model">Any loaded model.</param>
    /// <param name="openAxis">What an axis that the file leaves open counts as; null for the rule of <see cref="Shapes"/>.</param>
    public static ModelCost Of(OnnxModel model, int? openAxis = null) => Of(model, openAxis, out _);

    /// <summary>Counts a model, and tells what could only be assumed.</summary>
    /// <param name="model">Any loaded model.</param>
    /// <param name="openAxis">What an axis that the file leaves open counts as; null for the rule of <see cref="Shapes"/>.</param>
    /// <param name="assumed">Nodes whose shapes are not known: each counts as if its weight were applied once a sample, or not at all where it has none.</param>
    public static ModelCost Of(OnnxModel model, int? openAxis, out IReadOnlyList<string> assumed)
    {
        var counter = new MacCounter(model, Shapes.Of(model, openAxis));
        var macs = Sizes.Sum(model.Graph.Node.Select(counter.Count));
        assumed = counter.Assumed;
        return new ModelCost(LearntTensors.Count(model), macs);
    }
}
