namespace MaestroDeploy.Compressor.Training;

/// <summary>The loss became infinite or not a number; going on would only write a broken model.</summary>
/// <param name="message">What diverged, and what to do.</param>
public sealed class TrainingDivergedException(string message) : Exception(message)
{
    /// <param name="epoch">The epoch, from 1.</param>
    /// <param name="step">The step in it, from 1.</param>
    /// <param name="rate">The learning rate of that step.</param>
    public TrainingDivergedException(int epoch, int step, double rate)
        : this(FormattableString.Invariant($"Training diverged at step {step} of epoch {epoch}, at a learning rate of {rate:g3}; lower --learning-rate or --clip."))
    {
    }
}
