using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter.Evaluation;

/// <summary>How good a graph's answers are, run in ONNX Runtime as it will be where it is deployed.</summary>
/// <param name="Accuracy">Share of right answers, in 0..1.</param>
/// <param name="Perplexity">e to the mean cross-entropy in nats, of models of language; null for others.</param>
/// <param name="Samples">Samples behind it.</param>
/// <param name="Data">The set and the split.</param>
public sealed record Quality(double Accuracy, double? Perplexity, int Samples, string Data);

/// <summary>One batch of a graph's inputs.</summary>
/// <param name="Samples">Samples in it.</param>
/// <param name="Inputs">A tensor for each input.</param>
public sealed record EvaluationBatch(int Samples, InputTensor[] Inputs);

/// <summary>What variants are recalibrated, checked and measured on.</summary>
/// <remarks>A graph of a fixed batch is given whole batches, one at least, whatever count is asked for: what was run on nothing was not checked.</remarks>
public abstract class EvaluationData
{
    /// <summary>The set's name.</summary>
    public abstract string Name { get; }

    /// <summary>Whether the last axis longer than 1 of a graph's first output scores classes, one of which is right.</summary>
    public virtual bool GivesScores => false;

    /// <summary>Whether its samples are like those that the model is for: only such may move a model's statistics.</summary>
    public virtual bool IsReal => true;

    /// <summary>Measures a graph on the whole test split.</summary>
    /// <param name="session">The graph, loaded.</param>
    /// <param name="cancellation">Checked before each batch.</param>
    /// <returns>How good its answers are; null where the data does not know the right ones.</returns>
    /// <exception cref="ExportException">The graph does not take these samples, or does not answer as they want.</exception>
    public abstract Quality? Measure(ModelSession session, CancellationToken cancellation = default);

    /// <summary>The first test samples, to compare two graphs on.</summary>
    /// <param name="session">A graph that takes them.</param>
    /// <param name="count">Samples in all; fewer where there are fewer.</param>
    public abstract IEnumerable<EvaluationBatch> Check(ModelSession session, int count);

    /// <summary>Training samples, every class in its proportion, to measure activations on.</summary>
    /// <param name="session">A graph that takes them.</param>
    /// <param name="count">Samples in all; fewer where there are fewer.</param>
    /// <param name="largestBatch">Samples in one batch at most, where the graph leaves it open.</param>
    public abstract IEnumerable<EvaluationBatch> Calibration(ModelSession session, int count, int largestBatch = int.MaxValue);

    /// <summary>Training samples to probe cuts on: where there are enough, mostly others than <see cref="Calibration"/> gives, to which factors may be fitted.</summary>
    /// <param name="session">A graph that takes them.</param>
    /// <param name="count">Samples in all; fewer where there are fewer.</param>
    public virtual IEnumerable<EvaluationBatch> Probe(ModelSession session, int count) => Calibration(session, count);

    /// <summary>How many samples to run of those there are, and how many at once.</summary>
    /// <param name="session">The graph.</param>
    /// <param name="asked">Samples in all; fewer where there are fewer, and more where the graph's batch is larger.</param>
    /// <param name="name">What the samples are called.</param>
    /// <param name="available">How many there are.</param>
    /// <param name="largest">Samples at once where the graph leaves it open.</param>
    /// <exception cref="ExportException">The graph's batch is fixed, and there are not enough samples for one.</exception>
    internal static (int Samples, int Batch) Batching(ModelSession session, int asked, string name, int available, int largest) =>
        session.Inputs[0].Shape is not [{ Size: { } batch }, ..] ? (Math.Min(asked, available), largest)
        : batch <= available ? (Math.Clamp(asked, batch, available) / batch * batch, batch)
        : throw new ExportException($"The graph takes batches of {batch} only, and {name} has {available} samples; export the model with a batch of any size, or give more samples.");

    /// <summary>Runs a batch, and says which data a graph refuses.</summary>
    /// <exception cref="ExportException">It does, or the graph gives nothing to compare.</exception>
    internal IReadOnlyList<NamedTensor> Run(ModelSession session, EvaluationBatch batch)
    {
        if (session.Outputs is not [var first, ..])
        {
            throw new ExportException($"The graph gives {string.Join(" and ", session.OtherOutputs)}, no tensor of numbers by which variants are compared.");
        }

        if (GivesScores && !first.Type.StartsWith("float", StringComparison.Ordinal))
        {
            throw new ExportException($"The graph gives {first}, and no scores of classes; let it give what its last ArgMax takes.");
        }

        try
        {
            return session.RunAll(batch.Inputs);
        }
        catch (ArgumentException e)
        {
            throw new ExportException($"The graph does not take the samples of {Name}: {e.Message}", e);
        }
    }
}
