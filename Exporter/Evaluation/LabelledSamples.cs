using System.Numerics.Tensors;
using MaestroDeploy.Data;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter.Evaluation;

/// <summary>A classifier's samples: accuracy is the share of those whose largest score is their class's.</summary>
/// <param name="set">The set: calibrated on its training split, measured on its test split.</param>
public sealed class LabelledSamples(DataSet set) : EvaluationData
{
    const int BatchSize = 256;
    const int ProbeSeed = 1;

    /// <inheritdoc/>
    public override bool GivesScores => true;

    /// <inheritdoc/>
    public override string Name => set.Name;

    /// <inheritdoc/>
    public override Quality Measure(ModelSession session, CancellationToken cancellation = default)
    {
        var (right, of) = (0, 0);
        foreach (var batch in Batches(session, set.Test, set.Test.Count, BatchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            var scores = Run(session, Inputs(session, set.Test, batch))[0].Values;
            var classes = scores.Length / batch.Count;
            if (classes != set.Test.Classes)
            {
                throw new ExportException($"The graph gives {classes} scores a sample, and {set.Test.Name} has {set.Test.Classes} classes.");
            }

            for (var i = 0; i < batch.Count; i++)
            {
                of++;
                right += TensorPrimitives.IndexOfMax(scores.AsSpan(i * classes, classes)) == batch.Labels[i] ? 1 : 0;
            }
        }

        return new Quality((double)right / of, null, of, set.Test.Name);
    }

    /// <inheritdoc/>
    public override IEnumerable<EvaluationBatch> Check(ModelSession session, int count) => Given(session, set.Test, count, BatchSize);

    /// <inheritdoc/>
    public override IEnumerable<EvaluationBatch> Calibration(ModelSession session, int count, int largestBatch = int.MaxValue) =>
        Given(session, set.Train, count, Math.Min(largestBatch, BatchSize));

    /// <inheritdoc/>
    public override IEnumerable<EvaluationBatch> Probe(ModelSession session, int count)
    {
        var (samples, batch) = Batching(session, count, set.Train.Name, set.Train.Count, BatchSize);
        var drawn = samples < set.Train.Count ? set.Train.Split((double)samples / set.Train.Count, ProbeSeed).HeldOut : set.Train;
        return drawn.Batches(batch).Select(some => Inputs(session, drawn, some));
    }

    static IEnumerable<EvaluationBatch> Given(ModelSession session, SampleSet samples, int count, int largest) =>
        Batches(session, samples, count, largest).Select(batch => Inputs(session, samples, batch));

    static IEnumerable<Batch> Batches(ModelSession session, SampleSet samples, int asked, int largest)
    {
        var (count, batch) = Batching(session, asked, samples.Name, samples.Count, largest);
        return samples.Take(count).Batches(batch);
    }

    static EvaluationBatch Inputs(ModelSession session, SampleSet samples, Batch batch)
    {
        if (session.Inputs is not [var input])
        {
            throw new ExportException($"{samples.Name} fills one input, and the graph takes {string.Join(" and ", session.Inputs)}.");
        }

        int?[] axes = [.. input.Shape.Skip(1).Select(axis => axis.Size)];
        int[] shape = [batch.Count, .. samples.ShapeFor(axes) ?? throw new ExportException($"The graph cannot be measured: {samples.Misfit(axes)}.")];
        return new EvaluationBatch(batch.Count, [new InputTensor(input.Name, batch.Samples, shape)]);
    }
}
