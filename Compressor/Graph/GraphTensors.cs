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
        if (model.Graph.SparseInitializer.FirstOrDefault() is { } sparse)
        {
            throw new UntrainableModelException(model.Name, sparse.Values?.Name ?? "", "it is a sparse tensor");
        }

        var statistics = OwnStatistics(model);
        var fixedNumbers = Fixed(model);
        try
        {
            foreach (var initializer in model.Graph.Initializer)
            {
                var tensor = NativeTensor.From(model, initializer).DetachFromDisposeScope();
                var isNumber = tensor.dtype is not ScalarType.Float32 || tensor.dim() == 0 || fixedNumbers.Contains(initializer.Name);
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

    // Of one norm alone: what several share cannot be moved for each.
    static HashSet<string> OwnStatistics(OnnxModel model)
    {
        var reads = model.Graph.Node.SelectMany(node => node.Input).CountBy(name => name).ToDictionary();
        return [.. Read(model, IsStatistic).Where(name => reads[name] == 1 && model.Initializer(name) is not null)];
    }

    // PyTorch stores equal tensors once, and gives them out again by Identity.
    static HashSet<string> Fixed(OnnxModel model)
    {
        var copies = model.Graph.Node.Where(node => node.OpType == "Identity").ToDictionary(node => node.Output[0], node => node.Input[0]);
        return [.. Read(model, (node, i) => IsStatistic(node, i) || IsSetting(node, i)).Select(Original)];

        string Original(string name) => copies.TryGetValue(name, out var original) ? Original(original) : name;
    }

    static bool IsStatistic(NodeProto node, int input) => node.OpType == "BatchNormalization" && input is 3 or 4;

    static bool IsSetting(NodeProto node, int input) => OperatorTable.Operators.TryGetValue(node.OpType, out var entry) && entry.Settings.Contains(input);

    static IEnumerable<string> Read(OnnxModel model, Func<NodeProto, int, bool> isRead) =>
        model.Graph.Node.SelectMany(node => node.Input.Where((_, i) => isRead(node, i)));
}
