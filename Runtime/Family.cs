using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime;

/// <summary>A family's folder, opened and checked against its manifest.</summary>
public sealed class Family
{
    Family(string folder, FamilyManifest manifest, string sha256, bool hasDense) =>
        (Folder, Manifest, Sha256, HasDense) = (folder, manifest, sha256, hasDense);

    /// <summary>The folder, as a full path.</summary>
    public string Folder { get; }

    /// <summary>What the folder holds.</summary>
    public FamilyManifest Manifest { get; }

    /// <summary>SHA-256 of the manifest, and through the hashes in it, of the whole family.</summary>
    public string Sha256 { get; }

    /// <summary>Whether the dense baseline's files are here; a device can do without them.</summary>
    public bool HasDense { get; }

    /// <summary>Opens a folder.</summary>
    /// <param name="folder">The folder that holds <c>family.json</c>.</param>
    /// <param name="verify">Whether to hash every file; without it only presence and length are checked.</param>
    /// <exception cref="ProfileFormatException">The manifest cannot be used.</exception>
    /// <exception cref="FamilyException">A file is missing, differs from the manifest, or is a link out of the folder.</exception>
    public static Family Open(string folder, bool verify = true)
    {
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var path = Path.Combine(folder, FamilyManifest.FileName);
        if (!File.Exists(path))
        {
            throw new FamilyException(folder, $"There is no {FamilyManifest.FileName}; name the folder that an export wrote.");
        }

        CheckLinks(folder);
        var manifest = ProfilesJson.Read<FamilyManifest>(path);
        var (dense, needed) = Split(manifest);
        var hasDense = dense.All(file => File.Exists(Path.Combine(folder, file.File)));
        foreach (var file in hasDense ? manifest.Files : needed)
        {
            CheckFile(folder, file, verify);
        }

        return new Family(folder, manifest, FileHash.Sha256Of(path), hasDense);
    }

    /// <summary>A variant's graph, as a full path.</summary>
    /// <param name="variant">One of the manifest's variants.</param>
    public string PathOf(Variant variant) => Path.Combine(Folder, variant.File);

    // The dense graph and the weights named after it are the baseline's alone; every other file is needed to run a variant.
    static (FileHash[] Dense, FileHash[] Needed) Split(FamilyManifest manifest)
    {
        var stem = Path.GetFileNameWithoutExtension(manifest.Dense.File);
        var variants = manifest.Variants.Select(variant => variant.File).ToHashSet();
        var byOwner = manifest.Files.ToLookup(
            file => Path.GetFileNameWithoutExtension(file.File) == stem && !variants.Contains(file.File));
        return ([.. byOwner[true]], [.. byOwner[false]]);
    }

    static void CheckFile(string folder, FileHash expected, bool verify)
    {
        var path = Path.Combine(folder, expected.File);
        if (!File.Exists(path))
        {
            throw new FamilyException(path, "It is in the manifest but not in the folder; copy the whole folder again.");
        }

        using var stream = File.OpenRead(path);
        if (stream.Length != expected.Bytes)
        {
            throw new FamilyException(path, $"It should have {expected.Bytes} bytes and has {stream.Length}; copy it again.");
        }

        if (verify && FileHash.Sha256Of(path) is var found && found != expected.Sha256)
        {
            throw new FamilyException(path, $"Its SHA-256 should be {expected.Sha256} and is {found}; copy it again.");
        }
    }

    // A family from elsewhere must not make this program read what lies outside its folder; its graphs may name files that its manifest does not.
    static void CheckLinks(string folder)
    {
        var everything = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None };
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos("*", everything))
        {
            if (entry.LinkTarget is { } target && (Path.GetFileName(target) != target || target is "." or ".."))
            {
                throw new FamilyException(entry.FullName, $"It is a link to {target}, outside the family's folder; put the file itself there.");
            }
        }
    }
}
