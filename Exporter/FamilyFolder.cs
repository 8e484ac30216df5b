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
        _target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(target));
        var holdsOthers = File.Exists(_target)
            || (Directory.Exists(_target) && Directory.EnumerateFileSystemEntries(_target).Any() && !File.Exists(Path.Combine(_target, FamilyManifest.FileName)));
        if (holdsOthers)
        {
            throw new ExportException($"{target} is there already and is no family; name a new folder, or empty this one.");
        }

        Staging = $"{_target}.{Path.GetRandomFileName()}.partial";
        Scratch = Path.Combine(Staging, "scratch");
        Directory.CreateDirectory(Scratch);
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

        Directory.Move(Staging, _target);
        if (Directory.Exists(old))
        {
            Directory.Delete(old, recursive: true);
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
