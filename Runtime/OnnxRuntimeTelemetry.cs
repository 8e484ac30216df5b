using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MaestroDeploy.Runtime;

/// <summary>Keeps ONNX Runtime from telling of what it runs: from 1.29 on it sends events over the network, and keeps a device's id and a database below the home folder.</summary>
/// <remarks>Source: ONNX Runtime's docs/Privacy.md. On Windows it writes to the system's event tracing instead, which this does not touch.</remarks>
static class OnnxRuntimeTelemetry
{
    const string Variable = "ORT_DISABLE_TELEMETRY";

    // ONNX Runtime asks the C library, which does not see what .NET sets, and asks once, as soon as anyone uses it.
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "Whatever of this library is used first, ONNX Runtime may be next.")]
    internal static void TurnOff()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        try
        {
            _ = SetEnvironment(Variable, "1", overwrite: 0);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // Where there is no such C library, whoever starts the program sets the variable.
        }
    }

    [DllImport("libc", EntryPoint = "setenv", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int SetEnvironment(string name, string value, int overwrite);
}
