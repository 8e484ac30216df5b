using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Onnx.LowRank;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Training.Tasks;

/// <summary>What a model is trained on: samples in batches, each with the classes that its answers should be.</summary>
/// <remarks>A classifier answers once a sample; a language model once a token.</remarks>
public abstract class TrainingTask
{
    /// <summary>A target that counts for nothing, such as that of padding.</summary>
    public const long NoTarget = -100;

    /// <summary>The set and the split, such as <c>digits/train</c>.</summary>
    public abstract string Name { get; }

    /// <summary>What is learnt, in all that a run depends on: the split, its size, how it is varied.</summary>
    public virtual string Description => FormattableString.Invariant($"{Name}, {Count:N0} samples");

    /// <summary>Samples in it, at least 1.</summary>
    public abstract int Count { get; }

    /// <summary>Whether samples have classes; without them only a teacher tells what is right.</summary>
    public virtual bool HasLabels => true;

    /// <summary>Whether what is learnt are logits, so that a Softmax at the very end is left out; else it is the answers as they are given.</summary>
    public virtual bool LearnsLogits => true;

    /// <summary>Whether a sample's tensors may differ each time that it is loaded to train on.</summary>
    public virtual bool Varies => false;

    /// <summary>Which samples go together, each exactly once.</summary>
    /// <param name="size">Samples in a batch, 1 and more; the last one may hold fewer.</param>
    /// <param name="random">The order; null for the set's own.</param>
    public virtual IReadOnlyList<int[]> Batches(int size, Random? random)
    {
        int[] order = [.. Enumerable.Range(0, Count)];
        random?.Shuffle(order);
        return [.. order.Chunk(size)];
    }

    /// <summary>Makes the tensors of a batch, which the caller owns.</summary>
    /// <param name="chosen">Which samples.</param>
    /// <param name="random">Varies them where the task does that; null for the samples as they are.</param>
    public abstract TaskBatch Load(ReadOnlySpan<int> chosen, Random? random);

    /// <summary>Makes sure that a model takes these samples and gives a score for each class.</summary>
    /// <exception cref="UntrainableModelException">It does not.</exception>
    public abstract void Check(LodModel model);

    /// <summary>What a pass minimises.</summary>
    /// <param name="answers">The pass's logits.</param>
    /// <param name="batch">What it answered.</param>
    /// <param name="smoothing">Share of a label's probability that is spread over all classes, 0 to 1.</param>
    internal virtual Tensor Loss(Tensor answers, TaskBatch batch, double smoothing) => Losses.Hard(answers, batch.Targets!, smoothing);
}

/// <summary>One batch: the model's inputs in their order, and what its answers should be.</summary>
/// <param name="Inputs">Tensors for the graph's inputs.</param>
/// <param name="Targets">The class of each answer, [answers] int64: as many as the logits have rows; <see cref="TrainingTask.NoTarget"/> where none counts. Null where there are no labels.</param>
/// <param name="Taught">A teacher's answers, of the logits' shape; null where there is no teacher.</param>
public sealed record TaskBatch(IReadOnlyList<Tensor> Inputs, Tensor? Targets, Tensor? Taught = null);
