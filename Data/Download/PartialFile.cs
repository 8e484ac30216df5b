using System.Net;
using System.Net.Http.Headers;

namespace MaestroDeploy.Data;

/// <summary>A package on its way here, in a <c>.part</c> file that a later attempt goes on from.</summary>
/// <param name="client">Asks the mirrors.</param>
/// <param name="path">The file that the bytes go to.</param>
/// <param name="package">What is on its way; no more is taken than it can have.</param>
/// <param name="patience">How long a mirror may be silent.</param>
/// <param name="progress">Hears of every piece that arrives.</param>
sealed class PartialFile(HttpClient client, string path, Package package, TimeSpan patience, IProgress<DownloadProgress>? progress)
{
    const int PieceBytes = 128 * 1024;

    public string Path => path;

    /// <summary>How many bytes have arrived.</summary>
    public long Length => File.Exists(path) ? new FileInfo(path).Length : 0;

    /// <summary>Fetches what is still missing, or all of it when the server will not send a part.</summary>
    /// <exception cref="HttpRequestException">The mirror failed or fell silent; what had arrived by then stays.</exception>
    /// <exception cref="InvalidDataException">The mirror sends more than the package has, or not what was asked for.</exception>
    public async Task CompleteAsync(Uri source, CancellationToken cancellationToken)
    {
        using var watch = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        watch.CancelAfter(patience);
        try
        {
            await CompleteAsync(source, watch).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException($"Nothing came for {patience.TotalSeconds} seconds.", e);
        }
    }

    async Task CompleteAsync(Uri source, CancellationTokenSource watch)
    {
        var here = Length;
        using var request = new HttpRequestMessage(HttpMethod.Get, source);
        request.Headers.Range = here > 0 ? new RangeHeaderValue(here, null) : null;
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, watch.Token).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && here > 0)
        {
            return; // nothing comes after what is here: it is all, or it is wrong and the sums will tell
        }

        response.EnsureSuccessStatusCode();
        var isPart = response.StatusCode == HttpStatusCode.PartialContent;
        var from = response.Content.Headers.ContentRange?.From;
        if (isPart && from != here)
        {
            throw new InvalidDataException($"The bytes from {here} on were asked for, and those from {from} on came.");
        }

        using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
        file.SetLength(isPart ? here : 0);
        file.Seek(0, SeekOrigin.End);
        await AppendAsync(file, response.Content, watch).ConfigureAwait(false);
    }

    async Task AppendAsync(FileStream file, HttpContent content, CancellationTokenSource watch)
    {
        var total = file.Length + content.Headers.ContentLength;
        var stream = await content.ReadAsStreamAsync(watch.Token).ConfigureAwait(false);
        using var body = new LimitedStream(stream, package.LargestSize - file.Length);
        var piece = new byte[PieceBytes];
        while (await ReadAsync(body, piece, watch.Token).ConfigureAwait(false) is > 0 and var read)
        {
            await file.WriteAsync(piece.AsMemory(0, read), watch.Token).ConfigureAwait(false);
            progress?.Report(new DownloadProgress(package.Name, file.Length, total));
            watch.CancelAfter(patience); // a slow mirror is waited for, a silent one is not
        }
    }

    // A broken connection and a full disk are both an IOException, and only one of them is the mirror's fault.
    static async Task<int> ReadAsync(LimitedStream body, byte[] piece, CancellationToken cancellationToken)
    {
        try
        {
            return await body.ReadAsync(piece, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new HttpRequestException(e.Message, e);
        }
    }
}
