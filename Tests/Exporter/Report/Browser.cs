using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MaestroDeploy.Tests.Exporter.Report;

/// <summary>A headless Chromium with one page, driven by its DevTools protocol. Tests are inconclusive where there is no such browser.</summary>
sealed class Browser : IDisposable
{
    static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

    readonly string _program = Required(); // before anything that would have to be cleaned up
    readonly CancellationToken _noLongerThan = new CancellationTokenSource(TimeSpan.FromMinutes(5)).Token;
    readonly TemporaryFolder _profile = new();
    readonly Process _process;
    readonly ClientWebSocket _socket = new();
    readonly List<string> _problems = [];
    int _calls;

    public Browser()
    {
        string[] arguments =
        [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars", "--remote-debugging-port=0",
            $"--user-data-dir={_profile.Path}", "about:blank",
        ];
        _process = Process.Start(new ProcessStartInfo(_program, arguments) { RedirectStandardError = true })!;
        try
        {
            Connect(PortOf(_process));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What the console was told, and errors of scripts, since the page was opened.</summary>
    public IReadOnlyList<string> Problems => _problems;

    public void Open(string path, int width, int height = 900, bool dark = false)
    {
        _problems.Clear();
        Send("Emulation.setDeviceMetricsOverride", new() { ["width"] = width, ["height"] = height, ["deviceScaleFactor"] = 1, ["mobile"] = width < 600 });
        Send("Emulation.setEmulatedMedia", new() { ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = dark ? "dark" : "light" }) });
        Send("Page.navigate", new() { ["url"] = new Uri(path).AbsoluteUri }, until: "Page.loadEventFired");
    }

    /// <summary>The value of an expression in the page.</summary>
    public JsonNode? Evaluate(string expression) =>
        Send("Runtime.evaluate", new() { ["expression"] = expression, ["returnByValue"] = true })["result"]?["value"];

    /// <summary>Presses a key and lets it go: <c>Tab</c>, <c>Enter</c>, <c>ArrowRight</c>…</summary>
    public void Press(string key)
    {
        var code = key switch { "Tab" => 9, "Enter" => 13, "Escape" => 27, "ArrowRight" => 39, "ArrowLeft" => 37, _ => throw new ArgumentException(key) };
        foreach (var type in new[] { "rawKeyDown", "keyUp" })
        {
            Send("Input.dispatchKeyEvent", new() { ["type"] = type, ["key"] = key, ["code"] = key, ["windowsVirtualKeyCode"] = code });
        }
    }

    public byte[] Screenshot() =>
        Convert.FromBase64String((string)Send("Page.captureScreenshot", new() { ["captureBeyondViewport"] = true })["data"]!);

    public void Dispose()
    {
        _socket.Dispose();
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        _profile.Dispose();
    }

    static string Required()
    {
        var program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .SelectMany(folder => Names.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
        if (program is null)
        {
            Assert.Inconclusive($"This test needs a browser, and none of {string.Join(", ", Names)} is on the PATH.");
        }

        return program!;
    }

    // The browser says on stderr where it listens: "DevTools listening on ws://127.0.0.1:PORT/…".
    static int PortOf(Process process)
    {
        while (process.StandardError.ReadLine() is { } line)
        {
            if (line.StartsWith("DevTools listening on ", StringComparison.Ordinal))
            {
                _ = process.StandardError.ReadToEndAsync(); // or its pipe would fill
                return new Uri(line.Split(' ')[^1]).Port;
            }
        }

        throw new InvalidOperationException("The browser ended before it listened.");
    }

    void Connect(int port)
    {
        using var http = new HttpClient();
        var pages = JsonNode.Parse(http.GetStringAsync($"http://127.0.0.1:{port}/json/list", _noLongerThan).GetAwaiter().GetResult())!.AsArray();
        var address = (string)pages.First(page => (string)page!["type"]! == "page")!["webSocketDebuggerUrl"]!;
        _socket.ConnectAsync(new Uri(address), _noLongerThan).GetAwaiter().GetResult();
        foreach (var domain in new[] { "Page", "Runtime", "Log", "Network" })
        {
            Send($"{domain}.enable", []);
        }
    }

    JsonNode Send(string method, JsonObject parameters, string? until = null)
    {
        var id = ++_calls;
        var call = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters };
        _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(call), WebSocketMessageType.Text, true, _noLongerThan).GetAwaiter().GetResult();
        JsonNode? answer = null;
        var waiting = until is not null;
        while (answer is null || waiting)
        {
            var message = Receive();
            answer = (int?)message["id"] == id ? message : answer;
            waiting &= (string?)message["method"] != until;
            Note(message);
        }

        return answer["result"] ?? throw new InvalidOperationException(answer.ToJsonString());
    }

    void Note(JsonNode message)
    {
        var (method, what) = ((string?)message["method"], message["params"]);
        var url = (string?)what?["request"]?["url"];
        if (method is "Runtime.consoleAPICalled" or "Runtime.exceptionThrown" or "Log.entryAdded"
            || (method == "Network.requestWillBeSent" && url!.StartsWith("http", StringComparison.Ordinal)))
        {
            _problems.Add(message.ToJsonString());
        }
    }

    JsonNode Receive()
    {
        using var message = new MemoryStream();
        var buffer = new byte[1 << 16];
        ValueWebSocketReceiveResult part;
        do
        {
            part = _socket.ReceiveAsync(buffer.AsMemory(), _noLongerThan).AsTask().GetAwaiter().GetResult();
            message.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        return JsonNode.Parse(message.ToArray())!;
    }
}
