using System.Diagnostics;
using System.Text.Json;
using MaestroDeploy.Cli;
using MaestroDeploy.Cli.Output;

namespace MaestroDeploy.Tests.Cli;

/// <summary>What one command line came to.</summary>
sealed record CommandResult(int ExitCode, string Output, string Error)
{
    /// <summary>The answer of a command that was asked for JSON.</summary>
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    /// <summary>Fails the test unless the command did what was asked.</summary>
    public CommandResult Succeeded()
    {
        Assert.AreEqual(0, ExitCode, Error);
        return this;
    }

    /// <summary>Fails the test unless the command gave up with one clear line that says so.</summary>
    public void FailedSaying(string text, int exitCode = 1)
    {
        var lines = Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line.StartsWith("maestro: ", StringComparison.Ordinal)).ToArray();
        Assert.AreEqual(exitCode, ExitCode, Error + Output);
        Assert.HasCount(1, lines, Error);
        StringAssert.Contains(lines[0], text);
        Assert.IsFalse(Error.Contains("   at ", StringComparison.Ordinal), "a trace is not for users");
    }
}

/// <summary>Runs the <c>maestro</c> command: in this process, or as one of its own where a signal is to reach it.</summary>
static class CommandLine
{
    public static CommandResult Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = MaestroCommand.Run(args, new Terminal(output, error, interactive: false));
        return new CommandResult(exitCode, output.ToString(), error.ToString());
    }

    /// <summary>Starts the command, sends it Ctrl-C's signal once it says a line on stderr, and waits for its end.</summary>
    public static CommandResult Interrupt(string whenItSays, params string[] args)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "maestro.dll");
        var start = new ProcessStartInfo("dotnet", [program, .. args]) { RedirectStandardError = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        List<string> errors = [];
        while (process.StandardError.ReadLine() is { } line)
        {
            errors.Add(line);
            if (line.StartsWith(whenItSays, StringComparison.Ordinal))
            {
                using var kill = Process.Start("kill", [IgnoresInterrupts() ? "-TERM" : "-INT", $"{process.Id}"]);
                kill.WaitForExit();
            }
        }

        process.WaitForExit();
        return new CommandResult(process.ExitCode, output.Result, string.Join('\n', errors));
    }

    /// <summary>A property of every line of a file of JSON lines, as it stands there.</summary>
    public static string[] JsonLines(string path, string property) =>
        [.. File.ReadAllLines(path).Select(line => JsonDocument.Parse(line).RootElement.GetProperty(property).GetRawText())];

    // A shell starts what it puts into the background deaf to Ctrl-C, and so are its children: they would train on for ever.
    static bool IgnoresInterrupts()
    {
        const string Field = "SigIgn:";
        const ulong Interrupt = 1 << (2 - 1);
        return File.Exists("/proc/self/status") && File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith(Field, StringComparison.Ordinal)) is { } ignored
            && (Convert.ToUInt64(ignored[Field.Length..].Trim(), 16) & Interrupt) != 0;
    }
}
