using System.Runtime.InteropServices;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime;

/// <summary>Finds out what machine this is.</summary>
/// <remarks>On Linux from /proc and /sys; elsewhere what .NET and the environment say. What is not to be found stays out.</remarks>
public static class DeviceProbe
{
    /// <summary>This machine, as it is usable now.</summary>
    public static DeviceFingerprint Read() => Read("/");

    /// <summary>The machine whose system files lie under a folder.</summary>
    internal static DeviceFingerprint Read(string root)
    {
        var architecture = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        var cpu = Cpu(root)
            ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") // Windows
            ?? $"{architecture} processor";
        return new DeviceFingerprint
        {
            Name = DeviceFingerprint.Slug(cpu),
            Cpu = cpu,
            Cores = Environment.ProcessorCount,
            MemoryBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            OperatingSystem = RuntimeInformation.OSDescription,
            Architecture = architecture,
            Gpu = Gpu(root),
            OnnxRuntime = OnnxRuntimeLibrary.Version ?? "does not load", // whoever runs a graph is told why
            Governor = Text(root, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            CgroupCpuLimit = CgroupLimit(root),
        };
    }

    // ARM's cores have numbers and no names: the board's name says what people call it, and the numbers tell boards of one name apart.
    static string? Cpu(string root)
    {
        var text = Text(root, "proc/cpuinfo");
        if (Fields(text, "model name").FirstOrDefault() is { } name)
        {
            return name;
        }

        var makers = Fields(text, "CPU implementer").Distinct();
        var parts = Fields(text, "CPU part").Distinct().Order(StringComparer.Ordinal); // a big and a little kind, often
        var cores = string.Join(' ', makers.Concat(parts));
        string?[] known = [Text(root, "proc/device-tree/model")?.Trim('\0'), cores.Length > 0 ? $"cores {cores}" : null];
        return string.Join(", ", known.OfType<string>()) is { Length: > 0 } told ? told : null;
    }

    static string? Gpu(string root)
    {
        var folder = Path.Combine(root, "proc/driver/nvidia/gpus");
        return Directory.Exists(folder)
            ? Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal)
                .Select(gpu => Fields(Text(gpu, "information"), "Model").FirstOrDefault()).FirstOrDefault()
            : null;
    }

    // Version 2 writes quota and period in one file, version 1 in two; no limit is "max" or -1.
    static string? CgroupLimit(string root)
    {
        var limit = Text(root, "sys/fs/cgroup/cpu.max")
            ?? (Text(root, "sys/fs/cgroup/cpu/cpu.cfs_quota_us") is { } quota
                ? $"{quota} {Text(root, "sys/fs/cgroup/cpu/cpu.cfs_period_us")}".TrimEnd()
                : null);
        return limit is null || limit.StartsWith("max", StringComparison.Ordinal) || limit.StartsWith("-1", StringComparison.Ordinal)
            ? null
            : limit;
    }

    // The values of the lines that read "name : value".
    static IEnumerable<string> Fields(string? text, string name) => (text ?? "").Split('\n')
        .Select(line => line.Split(':', 2, StringSplitOptions.TrimEntries))
        .Where(parts => parts.Length == 2 && parts[0] == name && parts[1].Length > 0).Select(parts => parts[1]);

    static string? Text(string root, string file)
    {
        try
        {
            var text = File.ReadAllText(Path.Combine(root, file)).Trim();
            return text.Length > 0 ? text : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // another system, or one that does not tell
        }
    }
}
