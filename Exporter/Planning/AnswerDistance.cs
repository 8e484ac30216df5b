using System.Numerics.Tensors;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter.Planning;

/// <summary>How far a cut model's answers are from the uncut one's.</summary>
static class AnswerDistance
{
    /// <summary>The mean divergence, in nats, of the class probabilities that the last axis longer than 1 scores: KL(uncut ‖ cut).</summary>
    /// <remarks>
    /// Scores that are probabilities already, after a Softmax in the graph, are taken as such. A sample counts for ln(classes) at most,
    /// what knowing nothing costs: where scores are large, the few that a good cut gets wrong would else outweigh a cut that answers nothing.
    /// </remarks>
    public static double Divergence(IReadOnlyList<NamedTensor> uncut, IReadOnlyList<NamedTensor> cut)
    {
        var (sum, rows) = (0.0, 0L);
        foreach (var (before, after) in Paired(uncut, cut))
        {
            var classes = before.Shape.LastOrDefault(size => size > 1, 1); // [N, C, 1, 1] of a network that ends in a pooling
            for (var at = 0; at < before.Values.Length; at += classes, rows++)
            {
                sum += Row(before.Values.AsSpan(at, classes), after.Values.AsSpan(at, classes));
            }
        }

        return Finite(sum / rows);
    }

    /// <summary>‖cut − uncut‖² / ‖uncut‖².</summary>
    public static double Relative(IReadOnlyList<NamedTensor> uncut, IReadOnlyList<NamedTensor> cut)
    {
        var (apart, length) = (0.0, 1e-30);
        foreach (var (before, after) in Paired(uncut, cut))
        {
            var (cutBy, of) = Squares(before.Values, after.Values);
            (apart, length) = (apart + cutBy, length + of);
        }

        return Finite(apart / length);
    }

    static IEnumerable<(NamedTensor Uncut, NamedTensor Cut)> Paired(IReadOnlyList<NamedTensor> uncut, IReadOnlyList<NamedTensor> cut)
    {
        foreach (var (before, after) in uncut.Zip(cut))
        {
            yield return before.Values.Length == after.Values.Length ? (before, after) : throw new ExportException(
                $"'{after.Name}' holds {after.Values.Length} numbers where the uncut model gives {before.Values.Length}: the size of it depends on values, and plans cannot be told apart by it. "
                + "Take --plan uniform, or let the graph end before what selects, such as a NonMaxSuppression.");
        }
    }

    // A cut may blow a network up; that is the worst there is, and must still be a number that adds.
    static double Finite(double error) => double.IsFinite(error) ? Math.Max(0, error) : 1e9;

    static (double Apart, double Length) Squares(float[] before, float[] after)
    {
        var (distance, length) = ((double)TensorPrimitives.Distance<float>(before, after), (double)TensorPrimitives.SumOfSquares<float>(before));
        if (double.IsFinite(distance + length))
        {
            return (distance * distance, length);
        }

        // Infinities by which a model masks its answers are the same before and after.
        var finite = before.Zip(after).Where(pair => !pair.First.Equals(pair.Second) || float.IsFinite(pair.First)).ToArray();
        return (finite.Sum(pair => Math.Pow((double)pair.First - pair.Second, 2)), finite.Sum(pair => (double)pair.First * pair.First));
    }

    static double Row(ReadOnlySpan<float> before, ReadOnlySpan<float> after)
    {
        var (p, q) = (LogProbabilities(before), LogProbabilities(after));
        var divergence = 0.0;
        for (var i = 0; i < p.Length; i++)
        {
            divergence += double.IsNegativeInfinity(p[i]) ? 0 : Math.Exp(p[i]) * (p[i] - q[i]); // what is ruled out counts for nothing
        }

        return Math.Min(divergence, Math.Log(p.Length));
    }

    static double[] LogProbabilities(ReadOnlySpan<float> scores)
    {
        const double Least = 1e-12;
        var result = new double[scores.Length];
        if (TensorPrimitives.Min(scores) >= 0 && Math.Abs(TensorPrimitives.Sum(scores) - 1) < 1e-3)
        {
            for (var i = 0; i < result.Length; i++)
            {
                result[i] = Math.Log(Math.Max(Least, scores[i]));
            }

            return result;
        }

        var whole = Logits.LogSumExp(scores);
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = scores[i] - whole;
        }

        return result;
    }
}
