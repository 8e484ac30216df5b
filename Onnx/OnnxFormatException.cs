namespace MaestroDeploy.Onnx;

/// <summary>An ONNX file, or the data file beside it, is not what it should be; the message names the file and the place in it.</summary>
public sealed class OnnxFormatException : Exception
{
    /// <param name="file">The file, as the caller named it.</param>
    /// <param name="problem">What was found, and where it helps, what to do.</param>
    /// <param name="cause">The error underneath, if there is one.</param>
    public OnnxFormatException(string file, string problem, Exception? cause = null)
        : base($"{file}: {problem}", cause) => File = file;

    /// <summary>The file at fault.</summary>
    public string File { get; }
}
