namespace MaestroDeploy.Data;

/// <summary>Data from outside is absent, broken, or not what it claims to be.</summary>
/// <remarks>The message says which file or set, what was found and what to do.</remarks>
public sealed class DataFormatException : Exception
{
    /// <param name="source">The file, or the set, that is at fault; the message begins with it.</param>
    /// <param name="finding">What was expected and what was found.</param>
    /// <param name="cause">The error underneath, where there is one.</param>
    public DataFormatException(string source, string finding, Exception? cause = null)
        : base($"{source}: {finding}", cause)
    {
    }
}
