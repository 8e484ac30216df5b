using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Training.Tasks;

/// <summary>What a step minimises, from logits of any number of axes, the last longer than 1 being the classes.</summary>
static class Losses
{
    // A model may rule a class out by minus infinity; a teacher's probability of it is then 0, and 0 times that must be 0.
    const double RuledOut = -1e30;

    /// <summary>Cross-entropy with the targets, a mean over those that count.</summary>
    /// <param name="logits">[…, classes], as many rows as there are targets.</param>
    /// <param name="targets">[rows] int64.</param>
    /// <param name="smoothing">Share of the probability that is spread over all classes, 0 to 1.</param>
    public static Tensor Hard(Tensor logits, Tensor targets, double smoothing) =>
        nn.functional.cross_entropy(Rows(logits), targets, ignore_index: TrainingTask.NoTarget, label_smoothing: smoothing);

    /// <summary>Cross-entropy with another model's answers, a mean over the targets that count; no gradient flows to the teacher.</summary>
    /// <param name="logits">[…, classes], the learner's.</param>
    /// <param name="teacher">[…, classes].</param>
    /// <param name="targets">[rows] int64; only whether they count matters.</param>
    public static Tensor Soft(Tensor logits, Tensor teacher, Tensor targets)
    {
        var each = -(Rows(teacher).detach().softmax(1) * Rows(logits).log_softmax(1).clamp_min(RuledOut)).sum([1L]);
        var counts = targets.ne(TrainingTask.NoTarget).to(float32);
        return (each * counts).sum() / counts.sum();
    }

    /// <summary>KL(teacher‖learner), a mean over the targets that count; no gradient flows to the teacher.</summary>
    /// <inheritdoc cref="Soft"/>
    public static Tensor Divergence(Tensor logits, Tensor teacher, Tensor targets) => Soft(logits, teacher, targets) - Soft(teacher, teacher, targets).detach();

    /// <summary>How many answers are right, and of how many that count.</summary>
    public static (long Right, long Of) Answers(Tensor logits, Tensor targets) =>
        (Rows(logits).argmax(1).eq(targets).sum().item<long>(), targets.ne(TrainingTask.NoTarget).sum().item<long>());

    static Tensor Rows(Tensor logits) => logits.dim() == 2 ? logits : logits.reshape(-1, logits.shape.LastOrDefault(size => size > 1, 1));
}
