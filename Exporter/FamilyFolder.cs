using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter;

/// <summary>A family being written: whole under a temporary name, then renamed, or gone without a trace.</summary>
sealed class FamilyFolder : IDisposable
{
    readonly string _target;

    /// <param name="target">The folder that the family is to become: absent, empty, or a family, which is replaced.</param>
    /// <exception cref="ExportException">It holds something else.</exception>
    public FamilyFolder(string target)
    {
        _target = Check(target);
        Staging = $"{_target}.{Path.GetRandomFileName()}.partial";
        Scratch = Path.Combine(Staging, "scratch");
        Directory.CreateDirectory(Scratch);
    }

    /// <summary>The full path of a folder that a family may be written to.</summary>
    /// <exception cref="ExportException">It holds something else.</exception>
    public static string Check(string target)
    {
        var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(target));
        return File.Exists(path) || (Directory.Exists(path) && HoldsOtherThings(path))
            ? throw new ExportException($"{target} is there already and holds other things than a family; name a new folder, or empty this one.")
            : path;
    }

    /// <summary>Where the family's files are written.</summary>
    public string Staging { get; }

    /// <summary>For files that do not stay.</summary>
    public string Scratch { get; }

    /// <summary>Takes the place of what was there.</summary>
    public void Commit()
    {
        Directory.Delete(Scratch, recursive: true);
        var old = $"{Staging}.old";
        if (Directory.Exists(_target))
        {
            Directory.Move(_target, old);
        }

        try
        {
            Directory.Move(Staging, _target);
        }
        catch when (Directory.Exists(old))
        {
            Directory.Move(old, _target);
            throw;
        }

        if (Directory.Exists(old))
        {
            Directory.Delete(old, recursive: true);
        }
    }

    // What is replaced is deleted, so every entry must be one that a manifest of ours names.
    static bool HoldsOtherThings(string folder)
    {
        var entries = Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).ToList();
        if (entries.Count == 0)
        {
            return false;
        }

        try
        {
            var manifest = ProfilesJson.Read<FamilyManifest>(Path.Combine(folder, FamilyManifest.FileName));
            return entries.Except([FamilyManifest.FileName, .. manifest.Files.Select(file => file.File)]).Any();
        }
        catch (Exception e) when (e is ProfileFormatException or IOException)
        {
            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Directory.Exists(Staging))
        {
            Directory.Delete(Staging, recursive: true);
        }
    }
}
