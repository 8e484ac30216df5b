using System.Formats.Tar;
using System.IO.Compression;

namespace MaestroDeploy.Data;

/// <summary>Takes the files of a downloaded package out, checks them, and only then puts them in their place.</summary>
static class Unpacker
{
    /// <param name="package">What should be in it.</param>
    /// <param name="packed">The downloaded file.</param>
    /// <param name="folder">Where the files go. Its own name is the folder that they have in an archive.</param>
    /// <param name="cancellationToken">Stops it, with nothing placed.</param>
    /// <exception cref="InvalidDataException">It is not the published package. Nothing was placed.</exception>
    public static async Task PlaceAsync(Package package, string packed, string folder, CancellationToken cancellationToken)
    {
        var apart = Directory.CreateDirectory(Path.Combine(folder, $".{package.Name}.unpacked")).FullName;
        try
        {
            using (var gzip = new GZipStream(File.OpenRead(packed), CompressionMode.Decompress))
            {
                await (package.IsArchive
                    ? ExtractAsync(package, gzip, Path.GetFileName(folder), apart, cancellationToken)
                    : WriteAsync(package.Files[0], gzip, apart, cancellationToken)).ConfigureAwait(false);
            }

            await CheckAsync(package, apart, cancellationToken).ConfigureAwait(false);
            foreach (var file in package.Files)
            {
                File.Move(Path.Combine(apart, file.Name), Path.Combine(folder, file.Name), overwrite: true);
            }
        }
        catch (EndOfStreamException e)
        {
            throw new InvalidDataException("The archive is cut short.", e);
        }
        finally
        {
            Directory.Delete(apart, recursive: true);
        }
    }

    // What an entry is called only picks one of our own names: no entry says where anything is written.
    static async Task ExtractAsync(Package package, Stream gzip, string root, string into, CancellationToken cancellationToken)
    {
        var wanted = package.Files.ToDictionary(file => $"{root}/{file.Name}");
        using var archive = new TarReader(new LimitedStream(gzip, package.LargestSize));
        while (await archive.GetNextEntryAsync(copyData: false, cancellationToken).ConfigureAwait(false) is { } entry)
        {
            if (wanted.GetValueOrDefault(entry.Name) is { } file && entry.DataStream is { } content)
            {
                await WriteAsync(file, content, into, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    static async Task WriteAsync(PublicFile file, Stream content, string into, CancellationToken cancellationToken)
    {
        using var output = File.Create(Path.Combine(into, file.Name));
        await new LimitedStream(content, file.Size).CopyToAsync(output, cancellationToken).ConfigureAwait(false);
    }

    static async Task CheckAsync(Package package, string folder, CancellationToken cancellationToken)
    {
        foreach (var file in package.Files)
        {
            var found = await PublicFile.HashAsync(Path.Combine(folder, file.Name), cancellationToken).ConfigureAwait(false);
            if (found != file.Sha256)
            {
                throw new InvalidDataException(
                    $"{file.Name} should have SHA-256 {file.Sha256}, and {(found is null ? "is not there" : $"has {found}")}.");
            }
        }
    }
}
