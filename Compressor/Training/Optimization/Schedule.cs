namespace MaestroDeploy.Compressor.Training.Optimization;

/// <summary>How the learning rate changes over a run, after its rise.</summary>
public enum ScheduleKind
{
    /// <summary>Falls as half a cosine to 0. The default.</summary>
    Cosine,

    /// <summary>Stays at its peak.</summary>
    Constant,

    /// <summary>Falls to a tenth at half of the run and again at three quarters, as the paper trains on CIFAR-10.</summary>
    Step,

    /// <summary>Falls as 1/√step from the end of the rise on (Vaswani et al., arXiv:1706.03762, section 5.3).</summary>
    InverseSquareRoot,
}

/// <summary>The learning rate over a run: a linear rise, then one of <see cref="ScheduleKind"/>.</summary>
/// <remarks>The rise is needed: nested sampling at a high rate from the first step diverges on convolutional nets.</remarks>
/// <param name="kind">What follows the rise.</param>
/// <param name="peak">The highest rate.</param>
/// <param name="warmUp">Share of the steps over which it rises, 0 to 1.</param>
/// <param name="steps">Steps of the whole run.</param>
sealed class Schedule(ScheduleKind kind, double peak, double warmUp, long steps)
{
    readonly long _rise = (long)(warmUp * steps);

    /// <param name="step">Steps taken before this one.</param>
    public double Rate(long step) => peak * (step < _rise ? (step + 1.0) / _rise : kind switch
    {
        ScheduleKind.Constant => 1,
        ScheduleKind.Step => step < steps / 2 ? 1 : step < 3 * steps / 4 ? 0.1 : 0.01,
        ScheduleKind.InverseSquareRoot => Math.Sqrt(Math.Max(1, _rise) / Math.Max(1.0, step)),
        _ => 0.5 * (1 + Math.Cos(Math.PI * (step - _rise) / Math.Max(1, steps - _rise))),
    });
}
