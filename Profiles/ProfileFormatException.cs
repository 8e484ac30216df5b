namespace MaestroDeploy.Profiles;

/// <summary>A file of this room's formats cannot be used: not JSON, a newer schema, or a value out of its range.</summary>
/// <param name="path">The file that was read.</param>
/// <param name="why">What is wrong with it, as a sentence.</param>
/// <param name="cause">What the reader said, when it was the one to refuse.</param>
public sealed class ProfileFormatException(string path, string why, Exception? cause = null) : Exception($"{path}: {why}", cause)
{
    /// <summary>The file that was read.</summary>
    public string Path { get; } = path;
}
