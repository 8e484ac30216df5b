namespace MaestroDeploy.Data;

/// <summary>Where data sets are looked for and put. In a data folder each set has a folder of its own, such as <c>mnist/</c>.</summary>
public static class DataLocations
{
    const string Variable = "MAESTRO_DATA";

    // Debian's dataset-fashion-mnist installs its files under this one, in the layout used here.
    const string SystemPackages = "/usr/share/datasets";

    /// <summary>Where a set goes when nobody says where: <c>$MAESTRO_DATA</c>, else the user's cache folder.</summary>
    public static string Default => Folders(null, Environment.GetEnvironmentVariable)[0];

    /// <summary>The data folders to search, in order.</summary>
    /// <param name="dataDir">A folder that was asked for: then the only one. Null searches the usual ones.</param>
    public static IReadOnlyList<string> Folders(string? dataDir) => Folders(dataDir, Environment.GetEnvironmentVariable);

    internal static IReadOnlyList<string> Folders(string? dataDir, Func<string, string?> environment) =>
        dataDir is not null ? [dataDir]
        : environment(Variable) is { Length: > 0 } named ? [named, Cache(environment), SystemPackages]
        : [Cache(environment), SystemPackages];

    /// <summary>The first data folder that holds all of a set.</summary>
    /// <exception cref="DataFormatException">None does; the message lists what each one lacks.</exception>
    internal static string Find(PublicSet set, string? dataDir)
    {
        var folders = Folders(dataDir);
        if (folders.FirstOrDefault(folder => !set.MissingIn(folder).Any()) is { } found)
        {
            return found;
        }

        var looked = folders.Select(folder => Path.Combine(folder, set.Folder)).Zip(folders.Select(set.MissingIn), (place, missing) =>
            Directory.Exists(place) ? $"{place} (lacks {string.Join(", ", missing)})" : $"{place} (no such folder)");
        var remedy = $"maestro data get {set.Name}{(dataDir is null ? "" : $" --dir {dataDir}")}";
        throw new DataFormatException(set.Name, $"not found in {string.Join("; ", looked)}. Fetch it with `{remedy}`.");
    }

    static string Cache(Func<string, string?> environment)
    {
        if (OperatingSystem.IsWindows())
        {
            return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "maestro", "data");
        }

        // The XDG specification wants a relative path ignored.
        var cache = environment("XDG_CACHE_HOME") is { } named && Path.IsPathRooted(named)
            ? named
            : Path.Combine(environment("HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return Path.Combine(cache, "maestro", "data");
    }
}
