namespace MaestroDeploy.Profiles;

/// <summary>How far a variant's outputs lie from the dense model's on the same inputs; over several outputs, the mean of theirs.</summary>
/// <param name="RelativeError">‖y − y₀‖ / ‖y₀‖, 0 and more; 0 for the dense model itself.</param>
/// <param name="Cosine">Of the angle between y and y₀, in -1..1.</param>
/// <param name="Inputs">What both were run on; <c>random</c> tells of numbers that no one would feed the model.</param>
/// <param name="Samples">How many of those.</param>
/// <param name="PsnrDb">Peak signal to noise, 20·log₁₀(max|y₀| / RMS(y − y₀)), in dB; null where there is no difference.</param>
public sealed record OutputDistance(double RelativeError, double Cosine, string Inputs, int Samples, double? PsnrDb = null)
{
    /// <summary>What <see cref="Inputs"/> is when they were drawn at random.</summary>
    public const string Random = "random";

    /// <summary>‖y − y₀‖ / ‖y₀‖, 0 and more; 0 for the dense model itself.</summary>
    public double RelativeError { get; } = Check.NotNegative(RelativeError);

    /// <summary>What both were run on; <c>random</c> tells of numbers that no one would feed the model.</summary>
    public string Inputs { get; } = Check.Text(Inputs);

    /// <summary>How many of those.</summary>
    public int Samples { get; } = Check.AtLeast(1, Samples);
}
