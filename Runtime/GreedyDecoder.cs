using System.Numerics.Tensors;

namespace MaestroDeploy.Runtime;

/// <summary>Writes a sequence with an encoder-decoder model: at each place the word of the largest score, until the end's.</summary>
/// <remarks>The model takes <c>source [N, S]</c> and <c>target [N, T]</c>, int64, and gives <c>[N, T, words]</c>: the scores of each next word.</remarks>
/// <param name="session">The model; the caller disposes of it.</param>
/// <param name="begin">The word that every target begins with.</param>
/// <param name="end">The word that ends one.</param>
public sealed class GreedyDecoder(ModelSession session, long begin, long end)
{
    /// <summary>The target of one source, without its begin and end.</summary>
    /// <param name="source">The source's words, its end among them, at least one.</param>
    /// <param name="most">Words to write at the most, 1 and more.</param>
    /// <exception cref="ModelException">The model is not one that translates, or a run fails.</exception>
    public IReadOnlyList<long> Decode(long[] source, int most)
    {
        if (session.Inputs is not [{ Type: "int64" } first, { Type: "int64" } second] || session.Outputs is not [{ Shape.Count: 3 }])
        {
            throw new ModelException("the model", $"It does not translate: it takes {string.Join(" and ", session.Inputs)}, and gives {string.Join(" and ", session.Outputs)}.");
        }

        List<long> written = [begin];
        while (written.Count <= most)
        {
            var scores = session.RunAll(new InputTensor(first.Name, source, 1, source.Length), new InputTensor(second.Name, [.. written], 1, written.Count))[0];
            var next = TensorPrimitives.IndexOfMax(scores.Values.AsSpan(^scores.Shape[2]..));
            if (next == end)
            {
                break;
            }

            written.Add(next);
        }

        return written[1..];
    }
}
