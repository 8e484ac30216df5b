using System.Net;
using System.Net.Http.Headers;

namespace MaestroDeploy.Tests.Data;

/// <summary>Servers that exist only in a test. What none of them has is answered with 404.</summary>
sealed class FakeMirrors : HttpMessageHandler
{
    readonly Dictionary<string, Func<RangeHeaderValue?, HttpResponseMessage>> _answers = [];

    /// <summary>Each request in turn: its address and, where it had one, its range.</summary>
    public List<string> Asked { get; } = [];

    /// <summary>Serves a file as servers do, in parts too unless <paramref name="ranges"/> says no.</summary>
    public void Serve(string address, byte[] file, bool ranges = true) =>
        _answers[address] = range => ranges && range is not null
            ? Part(file, range.Ranges.Single().From!.Value)
            : new HttpResponseMessage { Content = new ByteArrayContent(file) };

    /// <summary>Answers with a body that does as it likes.</summary>
    public void Answer(string address, Func<Stream> body) => _answers[address] = _ => new() { Content = new StreamContent(body()) };

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Asked.Add($"{request.RequestUri} {request.Headers.Range}".TrimEnd());
        return Task.FromResult(_answers.TryGetValue(request.RequestUri!.ToString(), out var answer)
            ? answer(request.Headers.Range)
            : new HttpResponseMessage(HttpStatusCode.NotFound));
    }

    static HttpResponseMessage Part(byte[] file, long from)
    {
        if (from >= file.Length)
        {
            return new HttpResponseMessage(HttpStatusCode.RequestedRangeNotSatisfiable);
        }

        var part = new ByteArrayContent(file[(int)from..]);
        part.Headers.ContentRange = new ContentRangeHeaderValue(from, file.Length - 1, file.Length);
        return new HttpResponseMessage(HttpStatusCode.PartialContent) { Content = part };
    }
}

/// <summary>Gives some bytes, and then what <paramref name="afterwards"/> does.</summary>
abstract class FakeBody(byte[] first, Func<CancellationToken, Task<int>> afterwards) : MemoryStream(first)
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Position < Length ? await base.ReadAsync(buffer, cancellationToken) : await afterwards(cancellationToken);
}

/// <summary>A connection that is lost.</summary>
sealed class BrokenStream(byte[] first) : FakeBody(first, _ => throw new IOException("The connection was lost."));

/// <summary>A connection on which nothing more comes.</summary>
sealed class SilentStream(params byte[] first) : FakeBody(first, async cancellationToken =>
{
    await Task.Delay(Timeout.Infinite, cancellationToken);
    return 0;
});

/// <summary>A file without an end.</summary>
sealed class EndlessStream() : FakeBody([], _ => Task.FromResult(64 * 1024));
