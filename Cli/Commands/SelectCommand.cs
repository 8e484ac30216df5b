using System.CommandLine;
using MaestroDeploy.Cli.Output;

namespace MaestroDeploy.Cli.Commands;

/// <summary><c>maestro select</c>: which variant keeps a limit, and why.</summary>
static class SelectCommand
{
    public static Command Create(Terminal terminal)
    {
        var command = new Command("select", "Choose the most accurate variant within a latency measured on this device.");
        var choosing = new Choosing();
        choosing.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            var selection = choosing.Choose(parsed, terminal, cancellation).Selection;
            terminal.Say(selection.Reason);
            terminal.Answer(selection);
            return Task.FromResult(0);
        });
        return command;
    }
}
