using MaestroDeploy.Profiles;
using Microsoft.ML.OnnxRuntime;

namespace MaestroDeploy.Runtime;

/// <summary>Signatures of a graph's tensors, and shapes that fit them.</summary>
static class TensorShapes
{
    const int MostNumbers = 1 << 28; // 1 GiB of floats

    /// <summary>What a graph's own description of a tensor says; null when its type is none that runs take.</summary>
    public static TensorSignature? Signature(string name, NodeMetadata metadata)
    {
        if (!metadata.IsTensor || ElementType.Of(metadata.ElementDataType) is not { } type)
        {
            return null;
        }

        var axes = metadata.Dimensions.Zip(metadata.SymbolicDimensions, (size, symbol) =>
            size >= 0 ? new Axis(size) : new Axis(string.IsNullOrWhiteSpace(symbol) ? "?" : symbol));
        return new TensorSignature(name, type.Name, [.. axes]);
    }

    /// <summary>Whether a shape is one that a signature allows: as many axes, each of a size of 1 or more, fixed sizes kept.</summary>
    public static bool Fits(TensorSignature signature, ReadOnlySpan<int> shape)
    {
        var fits = shape.Length == signature.Shape.Count;
        for (var i = 0; fits && i < shape.Length; i++)
        {
            fits = shape[i] >= 1 && shape[i] == (signature.Shape[i].Size ?? shape[i]);
        }

        return fits;
    }

    /// <summary>The inputs' shapes when a batch and one size for every other open axis are chosen.</summary>
    /// <remarks>The batch is the first input's first axis, and every axis of that name.</remarks>
    /// <param name="inputs">What a graph takes.</param>
    /// <param name="batch">Samples in one run, 1 or more.</param>
    /// <param name="openAxis">The size of every other axis that the graph leaves open, 1 or more.</param>
    /// <returns>A shape for each input, or the problem as a sentence.</returns>
    public static (int[][] Shapes, string? Problem) Fill(IReadOnlyList<TensorSignature> inputs, int batch, int openAxis)
    {
        var batchAxis = TensorSignature.BatchOf(inputs);
        if (batchAxis.Size is { } only && only != batch)
        {
            return ([], $"It takes batches of {only} only; {batch} was asked for.");
        }

        var shapes = inputs.Select(input => input.Shape.Select((axis, i) =>
            axis.Size ?? (input.GoesOverBatch(i, batchAxis) ? batch : openAxis)).ToArray()).ToArray();
        foreach (var shape in shapes)
        {
            if (shape.Aggregate(1.0, (product, size) => product * size) > MostNumbers)
            {
                return ([], $"An input of [{Text(shape)}] passes 1 GiB; ask for a smaller batch.");
            }
        }

        return (shapes, null);
    }

    /// <summary>How many numbers a shape holds.</summary>
    /// <exception cref="OverflowException">More than an array can.</exception>
    public static int Count(int[] shape) => shape.Aggregate(1, checked((product, size) => product * size));

    /// <summary>The sizes with commas between.</summary>
    public static string Text(ReadOnlySpan<int> shape) => string.Join(", ", shape.ToArray());
}
