using System.Numerics.Tensors;

namespace MaestroDeploy.Exporter.Evaluation;

/// <summary>Arithmetic on scores before a softmax.</summary>
static class Logits
{
    /// <summary>The logarithm of the sum of their exponentials, in nats: a score less this is the logarithm of its probability.</summary>
    public static double LogSumExp(ReadOnlySpan<float> logits)
    {
        var (largest, sum) = (TensorPrimitives.Max(logits), 0.0);
        foreach (var logit in logits)
        {
            sum += Math.Exp(logit - largest);
        }

        return largest + Math.Log(sum);
    }
}
