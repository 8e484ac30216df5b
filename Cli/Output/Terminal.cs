using MaestroDeploy.Profiles;
using Spectre.Console;

namespace MaestroDeploy.Cli.Output;

/// <summary>Where a command's answers, progress and errors go: answers to stdout, all else to stderr.</summary>
/// <param name="output">For answers.</param>
/// <param name="error">For progress and errors.</param>
/// <param name="interactive">Whether a person watches stderr: progress then renews one line instead of adding lines.</param>
sealed class Terminal(TextWriter output, TextWriter error, bool interactive)
{
    // A narrow terminal breaks lines where they are too long; numbers that were broken within themselves could not be read.
    const int Width = 200;

    string _stage = "";
    bool _lineIsOpen;

    /// <summary>Whether answers are JSON; tables and sentences are then left out.</summary>
    public bool UseJson { get; set; }

    public TextWriter Out => output;

    public TextWriter ErrorWriter => error;

    /// <summary>Prints a sentence for people.</summary>
    public void Say(string text)
    {
        CloseLine();
        if (!UseJson)
        {
            output.WriteLine(text);
        }
    }

    /// <summary>Prints a table for people.</summary>
    public void Show(Table table)
    {
        CloseLine();
        if (UseJson)
        {
            return;
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = Math.Max(console.Profile.Width, Width);
        console.Write(table);
    }

    /// <summary>Prints the answer for programs: one JSON document.</summary>
    public void Answer<T>(T value)
    {
        CloseLine();
        if (UseJson)
        {
            output.Write(ProfilesJson.ToText(value));
        }
    }

    /// <summary>Tells how far the work is.</summary>
    /// <param name="stage">What is being done; without a terminal each stage is told once.</param>
    /// <param name="detail">How far it is.</param>
    public void Progress(string stage, string detail = "")
    {
        if (interactive)
        {
            error.Write($"\r\e[2K{stage} {detail}");
            _lineIsOpen = true;
        }
        else if (stage != _stage)
        {
            error.WriteLine(stage);
        }

        _stage = stage;
    }

    /// <summary>Prints an error on one line, whatever line breaks its text has.</summary>
    public void Error(string message)
    {
        CloseLine();
        error.WriteLine("maestro: " + string.Join(' ', message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)));
    }

    void CloseLine()
    {
        if (_lineIsOpen)
        {
            error.Write("\r\e[2K");
            _lineIsOpen = false;
        }
    }
}

/// <summary>Progress handed on at once, on the thread that reports it: lines then come in order.</summary>
sealed class Reporter<T>(Action<T> handle) : IProgress<T>
{
    public void Report(T value) => handle(value);
}
