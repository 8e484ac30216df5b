using System.Collections.Immutable;
using System.IO.Compression;
using System.Security.Cryptography;

namespace MaestroDeploy.Data;

/// <summary>One file of a public data set, as it lies uncompressed in a data folder.</summary>
sealed record PublicFile(string Name, long Size, string Sha256)
{
    /// <summary>The SHA-256 in lower-case hexadecimal of a file, uncompressed if it ends in .gz; null when it is absent or no such file.</summary>
    public static async Task<string?> HashAsync(string path, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        using var file = File.OpenRead(path);
        using Stream bytes = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
        try
        {
            return Convert.ToHexStringLower(await SHA256.HashDataAsync(bytes, cancellationToken).ConfigureAwait(false));
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Whether <paramref name="folder"/> holds exactly the published bytes.</summary>
    public async Task<bool> IsWholeInAsync(string folder, CancellationToken cancellationToken) =>
        await HashAsync(Path.Combine(folder, Name), cancellationToken).ConfigureAwait(false) == Sha256;
}

/// <summary>What is downloaded in one piece: a file in gzip, or a tar archive in gzip.</summary>
/// <param name="Name">The last part of its address: <c>….tar.gz</c> for an archive, else its one file's name with <c>.gz</c>.</param>
/// <param name="Mirrors">Addresses to put before <paramref name="Name"/>, the preferred one first.</param>
/// <param name="Files">The files to take out of it; anything else in it is left.</param>
sealed record Package(string Name, ImmutableArray<string> Mirrors, ImmutableArray<PublicFile> Files)
{
    const long Overhead = 1 << 20; // tar headers, a readme, the bytes that gzip adds to what it cannot shrink

    public bool IsArchive => Name.EndsWith(".tar.gz", StringComparison.Ordinal);

    /// <summary>More bytes than it has, packed or unpacked; whatever is larger is something else.</summary>
    public long LargestSize => Files.Sum(file => file.Size) + Overhead;
}

/// <summary>A data set that anyone may fetch: where from, and by which sums to know it.</summary>
/// <param name="Name">The name on the command line.</param>
/// <param name="Folder">The folder of its files within a data folder, and within its archive.</param>
/// <param name="Packages">What to download for it.</param>
sealed record PublicSet(string Name, string Folder, ImmutableArray<Package> Packages)
{
    /// <summary>The file at its place in a data folder, plain or, if it is no member of an archive, in gzip; null when absent.</summary>
    public string? Find(string dataFolder, string file)
    {
        var plain = Path.Combine(dataFolder, Folder, file);
        var mayBeGzipped = Packages.Any(package => package.Name == $"{file}.gz");
        return File.Exists(plain) ? plain : mayBeGzipped && File.Exists($"{plain}.gz") ? $"{plain}.gz" : null;
    }

    /// <summary>Whether a data folder holds exactly the published bytes of every file, plain or in gzip.</summary>
    public async Task<bool> IsWholeInAsync(string dataFolder, CancellationToken cancellationToken)
    {
        foreach (var file in Packages.SelectMany(package => package.Files))
        {
            if (Find(dataFolder, file.Name) is not { } path
                || await PublicFile.HashAsync(path, cancellationToken).ConfigureAwait(false) != file.Sha256)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The names of its files that a data folder lacks.</summary>
    public IEnumerable<string> MissingIn(string dataFolder) =>
        Packages.SelectMany(package => package.Files).Select(file => file.Name).Where(file => Find(dataFolder, file) is null);
}
