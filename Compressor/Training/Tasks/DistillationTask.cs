using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Onnx.LowRank;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Training.Tasks;

/// <summary>Another task's samples, to be answered as a teacher answers them: full pass and cut passes alike.</summary>
/// <remarks>
/// Where the samples have classes, the loss is the divergence from the teacher's distribution to the learner's, KL(p‖q) at temperature 1, a
/// mean over the answers that count. Else it is the squared error over the variance of the teacher's answers, 1 being what a constant achieves; where they do not vary, over their mean square.
/// Answers to samples that do not vary are computed once and kept.
/// </remarks>
public sealed class DistillationTask : TrainingTask
{
    const int BatchSize = 256;
    const long MostKept = 1 << 26; // numbers: 256 MB

    readonly TrainingTask _task;
    readonly Teacher _teacher;
    readonly double _labelWeight;
    float[][]? _kept; // an answer a sample: arrays, so that a task owns no tensor that someone would have to dispose of
    long[] _answerShape = [];
    double _variance = 1;

    /// <param name="task">The samples.</param>
    /// <param name="teacher">The model to answer like; it must live as long as this task.</param>
    /// <param name="labelWeight">The share of the loss that is taken from the labels, 0 to 1.</param>
    /// <exception cref="ArgumentException">The weight is out of its range, or there are no labels to weigh.</exception>
    public DistillationTask(TrainingTask task, Teacher teacher, double labelWeight = 0)
    {
        if (!(labelWeight is >= 0 and <= 1) || labelWeight > 0 && !task.HasLabels)
        {
            throw new ArgumentException(FormattableString.Invariant($"--label-weight is {labelWeight}; it is 0 to 1, and 0 where samples have no labels."));
        }

        (_task, _teacher, _labelWeight) = (task, teacher, labelWeight);
    }

    /// <inheritdoc/>
    public override string Name => _task.Name;

    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"{_task.Description}, taught by {_teacher.Name} ({_teacher.Id}), labels {_labelWeight}");

    /// <inheritdoc/>
    public override int Count => _task.Count;

    /// <inheritdoc/>
    public override bool HasLabels => _task.HasLabels;

    /// <inheritdoc/>
    public override bool LearnsLogits => HasLabels;

    /// <inheritdoc/>
    public override bool Varies => _task.Varies;

    /// <inheritdoc/>
    public override IReadOnlyList<int[]> Batches(int size, Random? random) => _task.Batches(size, random);

    /// <inheritdoc/>
    public override TaskBatch Load(ReadOnlySpan<int> chosen, Random? random)
    {
        var batch = _task.Load(chosen, random);
        return batch with { Taught = _kept is null ? _teacher.Answers(batch.Inputs, LearnsLogits) : Kept(chosen) };
    }

    /// <inheritdoc/>
    public override void Check(LodModel model)
    {
        _task.Check(model); // which also settles the shape of a sample
        if (!Varies && _kept is null)
        {
            Ask();
        }
    }

    /// <inheritdoc/>
    internal override Tensor Loss(Tensor answers, TaskBatch batch, double smoothing)
    {
        if (!answers.shape.SequenceEqual(batch.Taught!.shape))
        {
            throw new UntrainableModelException(_teacher.Name, "its first output", $"it answers [{string.Join(", ", batch.Taught.shape)}], and the model that is to learn from it [{string.Join(", ", answers.shape)}]");
        }

        if (!HasLabels)
        {
            return (answers - batch.Taught!).square().mean() / _variance;
        }

        var soft = Losses.Divergence(answers, batch.Taught!, batch.Targets!);
        return _labelWeight == 0 ? soft : (1 - _labelWeight) * soft + _labelWeight * Losses.Hard(answers, batch.Targets!, smoothing);
    }

    /// <summary>The share of the samples that the teacher answers rightly, 0 to 1; null where its answers are not kept, or there are no labels.</summary>
    /// <remarks>Known once a model has been checked.</remarks>
    public double? TeacherAccuracy { get; private set; }

    void Ask()
    {
        var answered = new float[Count][];
        var (right, of) = (0L, 0L);
        foreach (var chosen in Batches(BatchSize, null))
        {
            using var scope = NewDisposeScope();
            var batch = _task.Load(chosen, null);
            var answers = _teacher.Answers(batch.Inputs, LearnsLogits);
            var size = answers.numel() / answers.shape[0];
            if (Count * size > MostKept)
            {
                _variance = HasLabels ? 1 : Variance(answers); // of the first batch: the others' answers are not kept
                return;
            }

            _answerShape = answers.shape[1..];
            foreach (var (sample, answer) in chosen.Zip(answers.contiguous().data<float>().ToArray().Chunk((int)size)))
            {
                answered[sample] = answer;
            }

            (right, of) = HasLabels && Losses.Answers(answers, batch.Targets!) is var (batchRight, batchOf) ? (right + batchRight, of + batchOf) : (right, of);
        }

        TeacherAccuracy = of > 0 ? (double)right / of : null;
        _kept = answered;
        if (!HasLabels)
        {
            using var scope = NewDisposeScope();
            _variance = Variance(Kept([.. Enumerable.Range(0, Count)]));
        }
    }

    // Of a single sample, or of a teacher that answers everything alike, the mean square stands in.
    static double Variance(Tensor answers) => answers.var(0, false).mean().item<float>() is > 0 and var variance ? variance
        : answers.square().mean().item<float>() is > 0 and var square ? square
        : 1;

    Tensor Kept(ReadOnlySpan<int> chosen)
    {
        var size = _kept![0].Length;
        var values = new float[chosen.Length * size];
        for (var i = 0; i < chosen.Length; i++)
        {
            _kept[chosen[i]].CopyTo(values, i * size);
        }

        return NativeTensor.From(values, [chosen.Length, .. _answerShape]);
    }
}
