namespace MaestroDeploy.Compressor.Training;

/// <summary>The learning rate over a run: a linear rise over the first 5 % of the steps, then a cosine to 0.</summary>
/// <remarks>The rise is needed: nested sampling at a high rate from the first step diverges on convolutional nets.</remarks>
static class Schedule
{
    const double WarmUp = 0.05;

    /// <param name="peak">The highest rate.</param>
    /// <param name="step">Steps taken before this one.</param>
    /// <param name="steps">Steps of the whole run.</param>
    public static double Rate(double peak, int step, int steps)
    {
        var rise = Math.Max(1, (int)(WarmUp * steps));
        return step < rise ? peak * (step + 1) / rise : peak * 0.5 * (1 + Math.Cos(Math.PI * (step - rise) / Math.Max(1, steps - rise)));
    }
}
