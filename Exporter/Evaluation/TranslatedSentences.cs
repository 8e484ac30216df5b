using System.Numerics.Tensors;
using MaestroDeploy.Data;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter.Evaluation;

/// <summary>A translator's sentences: each word of the target is to be told from the source and the words before it.</summary>
/// <param name="text">The text: calibrated on its training pairs, measured on its test pairs.</param>
public sealed class TranslatedSentences(ParallelText text) : EvaluationData
{
    const int BatchSize = 32;

    /// <inheritdoc/>
    public override bool GivesScores => true;

    /// <inheritdoc/>
    public override string Name => text.Name;

    /// <inheritdoc/>
    public override Quality Measure(ModelSession session, CancellationToken cancellation = default)
    {
        var (right, words, samples, loss) = (0L, 0L, 0, 0.0);
        foreach (var pairs in InOrder(session, text.Test, text.Test.Count, BatchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            var scores = Run(session, Inputs(session, text.Test, pairs))[0];
            var (length, vocabulary) = (scores.Shape[^2], scores.Shape[^1]);
            if (vocabulary != text.Vocabulary.Count)
            {
                throw new ExportException($"The graph scores {vocabulary} words, and the vocabulary of {text.Name} has {text.Vocabulary.Count}.");
            }

            samples += pairs.Length;
            for (var row = 0; row < pairs.Length; row++)
            {
                var target = text.Test.Target(pairs[row]);
                for (var i = 1; i < target.Length; i++)
                {
                    var logits = scores.Values.AsSpan((row * length + i - 1) * vocabulary, vocabulary);
                    right += TensorPrimitives.IndexOfMax<float>(logits) == target[i] ? 1 : 0;
                    loss += Logits.LogSumExp(logits) - logits[target[i]];
                    words++;
                }
            }
        }

        // A cut that leaves next to nothing may pass every number, or give none; the worst must still be one that can be written.
        var perplexity = Math.Exp(loss / words) is var finite && double.IsFinite(finite) ? finite : double.MaxValue;
        return new Quality((double)right / words, perplexity, samples, text.Test.Name);
    }

    /// <inheritdoc/>
    public override IEnumerable<EvaluationBatch> Check(ModelSession session, int count) => InOrder(session, text.Test, count, BatchSize).Select(pairs => Inputs(session, text.Test, pairs));

    /// <inheritdoc/>
    public override IEnumerable<EvaluationBatch> Calibration(ModelSession session, int count, int largestBatch = int.MaxValue) =>
        InOrder(session, text.Train, count, Math.Min(BatchSize, largestBatch)).Select(pairs => Inputs(session, text.Train, pairs));

    /// <inheritdoc/>
    public override IEnumerable<EvaluationBatch> Probe(ModelSession session, int count) =>
        InOrder(session, text.Train, count, BatchSize, fromTheEnd: true).Select(pairs => Inputs(session, text.Train, pairs));

    static IEnumerable<int[]> InOrder(ModelSession session, TokenPairs pairs, int asked, int largest, bool fromTheEnd = false)
    {
        var (count, batch) = Batching(session, asked, pairs.Name, pairs.Count, largest);
        return Enumerable.Range(fromTheEnd ? pairs.Count - count : 0, count).Chunk(batch);
    }

    /// <summary>The source, and the target less its last word: what each row's answers are asked of.</summary>
    static EvaluationBatch Inputs(ModelSession session, TokenPairs pairs, int[] chosen)
    {
        if (session.Inputs.Count != 2)
        {
            throw new ExportException($"{pairs.Name} fills a source and a target, and the graph takes {string.Join(" and ", session.Inputs)}.");
        }

        var batch = pairs.Batch(chosen);
        return new EvaluationBatch(batch.Rows,
        [
            new InputTensor(session.Inputs[0].Name, batch.Source, batch.Rows, batch.SourceLength),
            new InputTensor(session.Inputs[1].Name, batch.Given(), batch.Rows, batch.TargetLength - 1),
        ]);
    }
}
