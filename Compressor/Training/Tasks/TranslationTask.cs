using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Data;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Cost;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Compressor.Training.Tasks;

/// <summary>Pairs of sentences: given the source and the words so far, the next word of the target, once for each word.</summary>
/// <param name="pairs">The pairs.</param>
/// <param name="words">Words of the shared vocabulary.</param>
public sealed class TranslationTask(TokenPairs pairs, int words) : TrainingTask
{
    /// <inheritdoc/>
    public override string Name => pairs.Name;

    /// <inheritdoc/>
    public override int Count => pairs.Count;

    /// <summary>A sentence is as long as the longest of its batch.</summary>
    public override bool Varies => true;

    /// <inheritdoc/>
    public override IReadOnlyList<int[]> Batches(int size, Random? random) => pairs.Buckets(size, random ?? new Random(0));

    /// <inheritdoc/>
    public override TaskBatch Load(ReadOnlySpan<int> chosen, Random? random)
    {
        var batch = pairs.Batch(chosen);
        long[] given = batch.Given(), next = batch.Next();
        next.AsSpan().Replace(Vocabulary.Padding, NoTarget);
        return new TaskBatch([NativeTensor.From(batch.Source, batch.Rows, batch.SourceLength), NativeTensor.From(given, batch.Rows, batch.TargetLength - 1)], NativeTensor.From(next));
    }

    /// <inheritdoc/>
    public override void Check(LodModel model)
    {
        var inputs = model.Model.Inputs.ToList();
        if (inputs.Count != 2)
        {
            throw new UntrainableModelException(model.Model.Name, "(inputs)", $"it has {inputs.Count} inputs, and {Name} fills a source and a target");
        }

        var answer = FloatAnswers.Of(model.Model)[0];
        var scores = Shapes.Of(model.Model)[answer];
        if (scores is not null && (scores.Count != 3 || scores[2] != words))
        {
            throw new UntrainableModelException(model.Model.Name, answer,
                $"it gives [{string.Join(", ", scores)}] for a word, and the vocabulary of {Name} has {words}");
        }
    }
}
