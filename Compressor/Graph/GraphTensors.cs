using MaestroDeploy.Compressor.Graph.Operators;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Protos;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph;

/// <summary>A graph's tensors by what becomes of them: weights learn, statistics are measured, constants stay.</summary>
/// <remarks>
/// A float initializer learns, unless an operator reads it as a number of its own, such as a bound or an exponent (see
/// <see cref="OperatorEntry.Settings"/>), or it has no axes: such are the ε and the scales of a formula, which TensorFlow stores beside weights.
/// </remarks>
sealed class GraphTensors : IDisposable
{
    /// <param name="model">The model; its tensors are copied.</param>
    /// <exception cref="UntrainableModelException">A tensor of a type that Torch lacks.</exception>
    public GraphTensors(OnnxModel model)
    {
        var statistics = Read(model, (node, i) => node.OpType == "BatchNormalization" && i is 3 or 4);
        var settings = Read(model, (node, i) => OperatorTable.Operators.TryGetValue(node.OpType, out var entry) && entry.Settings.Contains(i));
        try
        {
            foreach (var initializer in model.Graph.Initializer)
            {
                var tensor = NativeTensor.From(model, initializer).DetachFromDisposeScope();
                var isNumber = tensor.dtype is not ScalarType.Float32 || tensor.dim() == 0 || settings.Contains(initializer.Name);
                (statistics.Contains(initializer.Name) ? Statistics : isNumber ? Constants : Weights)[initializer.Name] = tensor;
            }
        }
        catch
        {
            Dispose();
            throw;
        }

        foreach (var weight in Weights.Values)
        {
            weight.requires_grad_(true);
        }
    }

    /// <summary>Float initializers that learn.</summary>
    public Dictionary<string, Tensor> Weights { get; } = [];

    /// <summary>BatchNorm's running means and variances.</summary>
    public Dictionary<string, Tensor> Statistics { get; } = [];

    /// <summary>All that never changes: other initializers, and what is computed from them alone.</summary>
    public Dictionary<string, Tensor> Constants { get; } = [];

    /// <summary>Every tensor by the name of its value.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> All => Weights.Concat(Statistics).Concat(Constants);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, tensor) in All)
        {
            tensor.Dispose();
        }
    }

    static HashSet<string> Read(OnnxModel model, Func<NodeProto, int, bool> isRead) =>
        [.. model.Graph.Node.SelectMany(node => node.Input.Where((_, i) => isRead(node, i)))];
}
