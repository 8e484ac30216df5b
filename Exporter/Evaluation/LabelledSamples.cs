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
        foreach (var batch in Whole(session, set.Test, BatchSize))
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

        return new Quality((double)right / Math.Max(1, of), null, Math.Max(1, of), set.Test.Name);
    }

    /// <inheritdoc/>
    public override IEnumerable<EvaluationBatch> Check(ModelSession session, int count) => Batches(session, set.Test.Take(count), BatchSize);

    /// <inheritdoc/>
    public override IEnumerable<EvaluationBatch> Calibration(ModelSession session, int count, int largestBatch = int.MaxValue) =>
        Batches(session, set.Train.Take(count), largestBatch);

    /// <inheritdoc/>
    public override IEnumerable<EvaluationBatch> Probe(ModelSession session, int count) =>
        Batches(session, count < set.Train.Count ? set.Train.Split((double)count / set.Train.Count, ProbeSeed).HeldOut : set.Train, BatchSize);

    static int BatchOf(ModelSession session, int largest) => session.Inputs[0].Shape is [{ Size: { } size }, ..] ? size : Math.Min(largest, BatchSize);

    static IEnumerable<EvaluationBatch> Batches(ModelSession session, SampleSet samples, int largest) =>
        Whole(session, samples, largest).Select(batch => Inputs(session, samples, batch));

    // A graph of a fixed batch cannot take what is left over at the end.
    static IEnumerable<Batch> Whole(ModelSession session, SampleSet samples, int largest) => samples.Batches(BatchOf(session, largest))
        .Where(batch => session.Inputs[0].Shape is not [{ Size: { } size }, ..] || batch.Count == size);

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
