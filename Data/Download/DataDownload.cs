namespace MaestroDeploy.Data;

/// <summary>Fetches the public data sets over HTTPS, and lets no byte in that is not the published one.</summary>
public static class DataDownload
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>What can be fetched: mnist, fashion-mnist, cifar10.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. PublicSets.All.Select(set => set.Name)];

    /// <summary>Makes a set whole in a data folder, uncompressed: fetches what is missing or damaged and leaves the rest alone.</summary>
    /// <remarks>
    /// Each file is tried at one mirror after another. What has arrived when a download stops stays in a <c>.part</c> file, from which
    /// the next call goes on. A file is moved to its place only once its SHA-256 is the published one.
    /// </remarks>
    /// <param name="set">One of <see cref="Names"/>.</param>
    /// <param name="dir">The data folder, made if it is not there. Null: wherever it is whole already, a system package's folder included,
    /// else <see cref="DataLocations.Default"/>.</param>
    /// <param name="progress">Hears of every piece that arrives.</param>
    /// <param name="handler">What answers the requests, which stays the caller's to dispose; null asks the network.</param>
    /// <param name="cancellationToken">Stops it, leaving at most a <c>.part</c> file.</param>
    /// <exception cref="ArgumentException"><paramref name="set"/> cannot be fetched.</exception>
    /// <exception cref="DataFormatException">No mirror gave a file that checks out; the message says what was wrong with each.</exception>
    /// <exception cref="IOException">The folder cannot be written, or another download is at work on the same file.</exception>
    public static async Task<DownloadedSet> GetAsync(
        string set, string? dir = null, IProgress<DownloadProgress>? progress = null, HttpMessageHandler? handler = null,
        CancellationToken cancellationToken = default)
    {
        var known = PublicSets.All.FirstOrDefault(known => known.Name == set)
            ?? throw new ArgumentException($"There is no data set '{set}' to fetch; there are {string.Join(", ", Names)}.", nameof(set));
        foreach (var place in DataLocations.Folders(dir))
        {
            if (await known.IsWholeInAsync(place, cancellationToken).ConfigureAwait(false))
            {
                return new DownloadedSet(Path.Combine(place, known.Folder), WasAlreadyThere: true);
            }
        }

        return await GetAsync(known, dir ?? DataLocations.Default, progress, handler, Patience, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same for any set; <paramref name="patience"/> is how long a mirror may be silent.</summary>
    internal static async Task<DownloadedSet> GetAsync(
        PublicSet set, string dir, IProgress<DownloadProgress>? progress, HttpMessageHandler? handler, TimeSpan patience,
        CancellationToken cancellationToken)
    {
        var folder = Directory.CreateDirectory(Path.Combine(dir, set.Folder)).FullName;
        using var client = handler is null ? new HttpClient() : new HttpClient(handler, disposeHandler: false);
        var fetched = 0;
        foreach (var package in set.Packages)
        {
            if (!await IsWholeAsync(package, folder, cancellationToken).ConfigureAwait(false))
            {
                var part = new PartialFile(client, Path.Combine(folder, $"{package.Name}.part"), package, patience, progress);
                await FetchAsync(package, part, folder, cancellationToken).ConfigureAwait(false);
                fetched++;
            }
        }

        return new DownloadedSet(folder, WasAlreadyThere: fetched == 0);
    }

    static async Task<bool> IsWholeAsync(Package package, string folder, CancellationToken cancellationToken)
    {
        foreach (var file in package.Files)
        {
            if (!await file.IsWholeInAsync(folder, cancellationToken).ConfigureAwait(false))
            {
                return false;
            }
        }

        return true;
    }

    static async Task FetchAsync(Package package, PartialFile part, string folder, CancellationToken cancellationToken)
    {
        var refused = new List<string>();
        foreach (var mirror in package.Mirrors)
        {
            try
            {
                await FetchAsync(package, new Uri(mirror + package.Name), part, folder, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (e is HttpRequestException or InvalidDataException)
            {
                refused.Add($"{mirror}: {e.Message}");
            }
        }

        throw new DataFormatException(package.Name, $"no mirror gave it whole. {string.Join(' ', refused)}");
    }

    static async Task FetchAsync(Package package, Uri source, PartialFile part, string folder, CancellationToken cancellationToken)
    {
        var goesOn = part.Length > 0;
        while (true)
        {
            try
            {
                await part.CompleteAsync(source, cancellationToken).ConfigureAwait(false);
                await Unpacker.PlaceAsync(package, part.Path, folder, cancellationToken).ConfigureAwait(false);
                File.Delete(part.Path);
                return;
            }
            catch (InvalidDataException)
            {
                File.Delete(part.Path);
                if (!goesOn)
                {
                    throw;
                }

                goesOn = false; // its beginning may have been another mirror's: this one gets to send all of it
            }
        }
    }
}
