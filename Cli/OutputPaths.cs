using MaestroDeploy.Profiles;

namespace MaestroDeploy.Cli;

/// <summary>Makes sure, before anyone waits for it, that a command can write where an option says: not over what it reads, and not into a family, which is never changed.</summary>
static class OutputPaths
{
    /// <summary>Checks a file to be written.</summary>
    /// <param name="option">The option that names it.</param>
    /// <param name="file">The file; null where none is named.</param>
    /// <param name="reads">The files that the command reads; null for one that is not named.</param>
    /// <exception cref="UsageException">It is one of those, or a folder, or in a folder that is not there, or in a family's.</exception>
    /// <exception cref="CommandException">Its folder cannot be written to.</exception>
    public static void CheckFile(string option, string? file, params ReadOnlySpan<string?> reads)
    {
        if (file is null)
        {
            return;
        }

        var path = Path.GetFullPath(file);
        var folder = Path.GetDirectoryName(path);
        if (folder is null || Directory.Exists(path))
        {
            throw new UsageException($"{option} {file}: it is a folder; name a file.");
        }

        if (!Directory.Exists(folder))
        {
            throw new UsageException($"{option} {file}: there is no folder {folder}.");
        }

        CheckNotRead(option, file, reads);
        CheckOutsideFamilies(option, file);
        CheckWritable(option, file, folder);
    }

    /// <summary>Checks a file to be written beside a family, which holds nothing else.</summary>
    /// <param name="option">The option that names it.</param>
    /// <param name="file">The file; null where none is named.</param>
    /// <param name="family">The folder that the family is to become.</param>
    /// <param name="reads">The files that the command reads; null for one that is not named.</param>
    /// <exception cref="UsageException">It lies in that folder, or is as <see cref="CheckFile"/> refuses.</exception>
    /// <exception cref="CommandException">Its folder cannot be written to.</exception>
    public static void CheckFileBeside(string option, string? file, string family, params ReadOnlySpan<string?> reads)
    {
        CheckFile(option, file, reads);
        if (file is not null && Parents(file).Contains(Path.TrimEndingDirectorySeparator(Path.GetFullPath(family))))
        {
            throw new UsageException($"{option} {file}: it lies in the family's folder, {family}, which holds nothing else; name a place outside it.");
        }
    }

    /// <summary>Makes sure that a file to be written is none of those that the command reads.</summary>
    /// <inheritdoc cref="CheckFile"/>
    public static void CheckNotRead(string option, string file, params ReadOnlySpan<string?> reads)
    {
        foreach (var read in reads)
        {
            if (read is { Length: > 0 } && Path.GetFullPath(read) == Path.GetFullPath(file))
            {
                throw new UsageException($"{option} {file}: it is read too, and would be lost; name another file.");
            }
        }
    }

    /// <summary>Checks a folder for several files, which may be there or not.</summary>
    /// <param name="option">The option that names it.</param>
    /// <param name="folder">The folder.</param>
    /// <exception cref="UsageException">It is a family's, or in one.</exception>
    /// <exception cref="CommandException">A file is in its place, or it cannot be written to.</exception>
    public static void CheckFolder(string option, string folder)
    {
        var there = Path.GetFullPath(folder);
        while (!Directory.Exists(there))
        {
            there = File.Exists(there) ? throw new CommandException($"{option} {folder}: {there} is a file, where a folder is needed.")
                : Path.GetDirectoryName(there) ?? throw new CommandException($"{option} {folder}: there is no {there}.");
        }

        CheckOutsideFamilies(option, Path.Combine(folder, FamilyManifest.FileName));
        CheckWritable(option, folder, there);
    }

    /// <summary>Makes sure that a path does not lie in a family that is there.</summary>
    /// <param name="option">The option that names it.</param>
    /// <param name="path">The path.</param>
    /// <exception cref="UsageException">It does.</exception>
    public static void CheckOutsideFamilies(string option, string path)
    {
        if (Parents(path).FirstOrDefault(folder => File.Exists(Path.Combine(folder, FamilyManifest.FileName))) is { } family)
        {
            throw new UsageException($"{option}: '{path}' lies in a family's folder, {family}, which is never changed; name a place outside it.");
        }
    }

    static void CheckWritable(string option, string named, string folder)
    {
        try
        {
            using var probe = new FileStream(Path.Combine(folder, Path.GetRandomFileName()), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{option} {named}: {folder} cannot be written to; {e.Message}");
        }
    }

    static IEnumerable<string> Parents(string path)
    {
        for (var folder = Path.GetDirectoryName(Path.GetFullPath(path)); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            yield return folder;
        }
    }
}
