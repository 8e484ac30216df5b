using Microsoft.ML.OnnxRuntime;

namespace MaestroDeploy.Runtime;

/// <summary>ONNX Runtime's native library, which a program brings, and which may not load.</summary>
static class OnnxRuntimeLibrary
{
    /// <summary>Why it does not load; null where it does.</summary>
    public static string? Problem { get; }

    /// <summary>Its version; null where it does not load.</summary>
    public static string? Version { get; }

    static OnnxRuntimeLibrary()
    {
        try
        {
            Version = OrtEnv.Instance().GetVersionString();
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or EntryPointNotFoundException)
        {
            Problem = e.GetBaseException().Message;
        }
    }
}
