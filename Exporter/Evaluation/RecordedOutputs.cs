using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter.Evaluation;

/// <summary>What a graph answered to some inputs: each output's numbers, one batch after another.</summary>
/// <param name="Outputs">The float outputs, in the graph's order.</param>
/// <param name="Inputs">What was asked.</param>
/// <param name="Samples">How many samples of it.</param>
public sealed record RecordedOutputs(IReadOnlyList<float[]> Outputs, string Inputs, int Samples)
{
    /// <summary>Runs a graph on the first samples.</summary>
    /// <param name="session">The graph.</param>
    /// <param name="data">What to ask it.</param>
    /// <param name="count">Samples in all; fewer where there are fewer.</param>
    /// <exception cref="ExportException">The graph does not take them.</exception>
    public static RecordedOutputs Of(ModelSession session, EvaluationData data, int count)
    {
        var parts = session.Outputs.Select(_ => new List<float[]>()).ToArray();
        var samples = 0;
        foreach (var batch in data.Check(session, count))
        {
            samples += batch.Samples;
            foreach (var (part, output) in parts.Zip(data.Run(session, batch)))
            {
                part.Add(output.Values);
            }
        }

        return new RecordedOutputs([.. parts.Select(part => part.SelectMany(values => values).ToArray())], data.Name, samples);
    }

    /// <summary>How far these outputs lie from those of another graph to the same inputs.</summary>
    /// <param name="original">The other graph's.</param>
    /// <returns>
    /// The mean over the outputs, each by its own norm; null where that cannot be told: other sizes (a text may be read at another length),
    /// values that are not finite, or an original of nothing but zeros.
    /// </returns>
    public OutputDistance? DistanceFrom(RecordedOutputs original)
    {
        var distances = Outputs.Zip(original.Outputs, Distance).ToArray();
        return distances.Length == 0 || distances.Any(distance => distance is null)
            ? null
            : new OutputDistance(
                distances.Average(distance => distance!.Value.Relative), distances.Average(distance => distance!.Value.Cosine),
                Inputs, Samples, distances.Average(distance => distance!.Value.Psnr));
    }

    static (double Relative, double Cosine, double? Psnr)? Distance(float[] here, float[] original)
    {
        if (here.Length != original.Length)
        {
            return null;
        }

        double difference = 0, product = 0, norm = 0, originalNorm = 0;
        for (var i = 0; i < here.Length; i++)
        {
            if (!float.IsFinite(original[i]) && here[i].Equals(original[i]))
            {
                continue; // a mask
            }

            var (y, y0) = ((double)here[i], (double)original[i]);
            difference += (y - y0) * (y - y0);
            product += y * y0;
            norm += y * y;
            originalNorm += y0 * y0;
        }

        if (!double.IsFinite(difference + originalNorm) || originalNorm == 0)
        {
            return null;
        }

        var peak = original.Where(float.IsFinite).Max(value => (double)Math.Abs(value));
        return (
            Math.Sqrt(difference / originalNorm),
            norm == 0 ? 0 : Math.Clamp(product / Math.Sqrt(norm * originalNorm), -1, 1),
            difference == 0 ? null : 20 * Math.Log10(peak / Math.Sqrt(difference / here.Length)));
    }
}
