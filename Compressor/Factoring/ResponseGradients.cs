using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Runtime;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Factoring;

/// <summary>The gradients of a model's outputs by what its layers answer: how much an error of an answer matters.</summary>
/// <remarks>
/// Each float output counts by its own mean square, the first one before a final Softmax. An output of few numbers is taken number by
/// number; of a longer one sums under random signs are, whose squares are as good on average.
/// </remarks>
sealed class ResponseGradients : IDisposable
{
    const int MostNumbers = 16, Signs = 4;

    /// <summary>What a batch costs at the most for one output, in passes forward.</summary>
    public const int Passes = 2 * MostNumbers + 1;

    readonly OnnxModel _model;
    readonly TrainableGraph _graph;
    readonly (WeightLayer Layer, string Answer)[] _watched;
    readonly Generator _random = new(1);

    /// <param name="model">A dense model; it is not changed.</param>
    /// <param name="layers">Some of its layers.</param>
    /// <exception cref="UntrainableModelException">Gradients cannot be taken through an operator of the model.</exception>
    public ResponseGradients(OnnxModel model, IEnumerable<WeightLayer> layers)
    {
        _model = model;
        _watched = [.. layers.SelectMany(layer => layer.Nodes, (layer, node) => (layer, node.Output[0]))];
        _graph = new TrainableGraph(new LodModel(model, [], new LodProvenance()));
    }

    /// <summary>Takes the gradients on a batch of samples.</summary>
    /// <param name="batch">A tensor for each input of the model.</param>
    /// <param name="take">Given each layer, and one row of <c>out</c> numbers for each time that its weight was applied and each direction of an output.</param>
    /// <exception cref="UntrainableModelException">The model refuses them, or no output is a float that depends on its weights.</exception>
    public void Take(IReadOnlyList<InputTensor> batch, Action<WeightLayer, Tensor> take)
    {
        using var scope = NewDisposeScope();
        var inputs = _model.Inputs.Select(input => Tensor(batch.First(given => given.Name == input.Name))).ToArray();
        var (outputs, answers) = _graph.Watch(inputs, [.. _watched.Select(watched => watched.Answer)]);
        Tensor[] felt = [.. outputs.Where(output => output.requires_grad)];
        if (felt.Length == 0)
        {
            throw new UntrainableModelException(_model.Name, "(its outputs)", "none of them is a float that changes with its weights");
        }

        foreach (var output in felt)
        {
            foreach (var direction in Directions(output, inputs[0].shape.FirstOrDefault()))
            {
                using var pass = NewDisposeScope();
                var gradients = autograd.grad([output], [.. answers], [direction], retain_graph: true, allow_unused: true);
                foreach (var ((layer, _), gradient) in _watched.Zip(gradients).Where(one => one.Second is { IsInvalid: false }))
                {
                    take(layer, Rows(layer, gradient));
                }
            }
        }
    }

    public void Dispose()
    {
        _graph.Dispose();
        _random.Dispose();
    }

    /// <summary>Tensors of an output's shape whose products with it stand for all of its numbers.</summary>
    IEnumerable<Tensor> Directions(Tensor output, long samples)
    {
        var numbers = output.dim() > 0 && output.shape[0] == samples ? output.numel() / samples : output.numel();
        var size = output.detach().square().mean().sqrt();
        var scale = size.item<float>() is > 0 and < float.PositiveInfinity ? size.reciprocal() : ones_like(size);
        return numbers <= MostNumbers
            ? Enumerable.Range(0, (int)numbers).Select(number => (zeros(output.numel() / numbers, numbers).index_fill_(1, tensor((long)number), 1) * scale).reshape(output.shape))
            : Enumerable.Range(0, Signs).Select(_ => (randint(0, 2, output.shape, generator: _random).to(float32) * tensor(2f) - tensor(1f)) * scale);
    }

    /// <summary>One row of <c>out</c> numbers for each time that the weight was applied.</summary>
    static Tensor Rows(WeightLayer layer, Tensor gradient) => layer.Kind switch
    {
        LayerKind.Conv => gradient.flatten(2).transpose(1, 2).reshape(-1, layer.Out),
        LayerKind.Left when gradient.dim() > 1 => gradient.transpose(-1, -2).reshape(-1, layer.Out),
        _ => gradient.reshape(-1, layer.Out),
    };

    Tensor Tensor(InputTensor input)
    {
        var type = TorchTypes.Named(input.Type);
        if (type is null || TorchTypes.Stored(type.Value) is not { } stored)
        {
            throw new UntrainableModelException(_model.Name, input.Name, $"it is a tensor of {input.Type}");
        }

        var tensor = empty(Array.ConvertAll(input.Shape.ToArray(), size => (long)size), stored);
        input.ToBytes().CopyTo(tensor.bytes);
        tensor = tensor.to(TorchTypes.Computed(type.Value)!.Value);
        // So that gradients reach what a model computes from constants alone.
        return tensor.is_floating_point() ? tensor.requires_grad_(true) : tensor;
    }
}
