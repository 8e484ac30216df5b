using MaestroDeploy.Data;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter.Verification;

/// <summary>How often an exported graph is right, run in ONNX Runtime as it will be where it is deployed.</summary>
public static class Accuracy
{
    const int BatchSize = 256;

    /// <summary>The share of samples whose largest score is their class's, 0 to 1.</summary>
    /// <param name="session">A loaded classifier: its first output is [N, classes].</param>
    /// <param name="samples">The samples; their values must fill the graph's input.</param>
    /// <param name="cancellation">Checked before each batch.</param>
    /// <exception cref="ExportException">The graph does not take these samples, or does not give one score a class.</exception>
    public static double Measure(ModelSession session, SampleSet samples, CancellationToken cancellation = default)
    {
        var right = 0;
        foreach (var (scores, labels) in Run(session, samples, cancellation))
        {
            var classes = scores.Length / labels.Length;
            if (classes != samples.Classes)
            {
                throw new ExportException($"The graph gives {classes} scores a sample, and {samples.Name} has {samples.Classes} classes.");
            }

            for (var i = 0; i < labels.Length; i++)
            {
                right += System.Numerics.Tensors.TensorPrimitives.IndexOfMax(scores.AsSpan(i * classes, classes)) == labels[i] ? 1 : 0;
            }
        }

        return (double)right / samples.Count;
    }

    /// <summary>The graph's first output for every sample, a batch at a time.</summary>
    internal static IEnumerable<(float[] Scores, int[] Labels)> Run(ModelSession session, SampleSet samples, CancellationToken cancellation)
    {
        var size = session.Inputs[0].Shape[0].Size ?? BatchSize;
        foreach (var batch in samples.Batches(size))
        {
            cancellation.ThrowIfCancellationRequested();
            yield return (RunBatch(session, samples, batch), batch.Labels);
        }
    }

    static float[] RunBatch(ModelSession session, SampleSet samples, Batch batch)
    {
        try
        {
            return session.Run(batch.Samples, session.InputShape(batch.Count));
        }
        catch (ArgumentException e)
        {
            throw new ExportException($"Samples of {samples.Name} are [{string.Join(", ", samples.SampleShape)}], and the graph takes {session.Inputs[0]}.", e);
        }
    }
}
