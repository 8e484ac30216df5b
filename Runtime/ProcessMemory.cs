using System.Diagnostics;
using System.Globalization;

namespace MaestroDeploy.Runtime;

/// <summary>How much memory this process has for itself alone.</summary>
static class ProcessMemory
{
    /// <summary>Bytes resident that no file backs: mapped weights do not count, copies of them do.</summary>
    /// <remarks>On Linux <c>RssAnon</c>; elsewhere the private bytes, which count what is reserved too; null where the system does not tell them, as macOS.</remarks>
    public static long? PrivateBytes()
    {
        const string Field = "RssAnon:"; // proc_pid_status(5), in kB
        if (File.Exists("/proc/self/status")
            && File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith(Field, StringComparison.Ordinal)) is { } found)
        {
            return 1024 * long.Parse(found.AsSpan(Field.Length, found.Length - Field.Length - 2).Trim(), CultureInfo.InvariantCulture);
        }

        using var process = Process.GetCurrentProcess();
        return process.PrivateMemorySize64 is > 0 and var bytes ? bytes : null;
    }
}
