using System.Runtime.InteropServices;

namespace MaestroDeploy.Compressor.Training;

/// <summary>Keeps the memory that a step frees for the next one, which asks for the same again.</summary>
/// <remarks>
/// The GNU C library, from which libtorch has its tensors, gives large blocks back to the system and gets them anew, page by page: a seventh of the time of a VGG's epoch. Other C
/// libraries are left as they are, and so is this one where the process's environment sets it. Source: mallopt(3).
/// </remarks>
static class FreedMemory
{
    const int TrimThreshold = -1;
    const int TopPadding = -2;
    const int MapThreshold = -3;

    static readonly Lazy<bool> Set = new(SetOptions);

    /// <summary>From the first call on, for the whole process.</summary>
    /// <returns>Whether it is kept.</returns>
    public static bool Keep() => Set.Value;

    static bool SetOptions()
    {
        if (!OperatingSystem.IsLinux() || IsSet("MALLOC_TRIM_THRESHOLD_") || IsSet("MALLOC_MMAP_THRESHOLD_"))
        {
            return false;
        }

        try
        {
            // All or none: a block that is mapped by itself is never kept, nor is one of the 64 MB that a thread's own heap grows by, unless more than those are to be kept beyond need.
            return SetOption(MapThreshold, 1 << 30) == 1 && SetOption(TrimThreshold, int.MaxValue) == 1 && SetOption(TopPadding, 64 << 20) == 1;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }

    static bool IsSet(string variable) => Environment.GetEnvironmentVariable(variable) is not null;

    [DllImport("libc", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int SetOption(int option, int value);
}
