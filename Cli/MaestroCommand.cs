using System.CommandLine;
using System.CommandLine.Parsing;
using MaestroDeploy.Cli.Commands;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Data;
using MaestroDeploy.Exporter;
using MaestroDeploy.Onnx;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli;

/// <summary>The <c>maestro</c> command: its verbs, and what becomes of their errors.</summary>
static class MaestroCommand
{
    const int Failed = 1, WrongUsage = 2;

    /// <summary>Runs one command line.</summary>
    /// <returns>0 done, 1 failed with one line on stderr, 2 wrong usage.</returns>
    public static int Run(string[] args, Terminal terminal, CancellationToken cancellation = default)
    {
        var parsed = Root(terminal).Parse(args);
        if (parsed.Errors.Count > 0)
        {
            var problem = parsed.UnmatchedTokens.Count > 0 ? $"'{parsed.UnmatchedTokens[0]}' is not known here." : parsed.Errors[0].Message;
            terminal.Error($"{problem} See 'maestro {string.Concat(VerbOf(parsed).Reverse())}--help'.");
            return WrongUsage;
        }

        if (Array.IndexOf(args, "") is >= 0 and var empty)
        {
            terminal.Error($"{(empty > 0 ? $"What follows '{args[empty - 1]}'" : "The first argument")} is empty; a variable of the shell may not be set.");
            return WrongUsage;
        }

        terminal.UseJson = parsed.GetValue(SharedOptions.Json);
        try
        {
            var configuration = new InvocationConfiguration
            {
                Output = terminal.Out,
                Error = terminal.ErrorWriter,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null, // Program.cs listens to signals
            };
            return parsed.InvokeAsync(configuration, cancellation).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            terminal.Error("Stopped; nothing was left half-written.");
            return Failed;
        }
        catch (UsageException e)
        {
            terminal.Error(e.Message);
            return WrongUsage;
        }
        catch (Exception e) when (IsOfTorchsAbsence(e))
        {
            terminal.Error($"Torch does not load ({e.GetBaseException().Message.Split('\n')[0]}); training, factoring and inspecting a model's weights need it. 'maestro doctor' tells what is there.");
            return Failed;
        }
        catch (Exception e) when (IsExpected(e))
        {
            terminal.Error(e.Message);
            return Failed;
        }
    }

    static RootCommand Root(Terminal terminal)
    {
        var root = new RootCommand("Turns one neural network into a family of faster ones, and runs the one that fits the device.")
        {
            QuickstartCommand.Create(terminal),
            DataCommand.Create(terminal),
            TrainCommand.Create(terminal),
            SearchLassoCommand.Create(terminal),
            CompressCommand.Create(terminal),
            DecomposeCommand.Create(terminal),
            ExportCommand.Create(terminal),
            ProfileCommand.Create(terminal),
            SweepCommand.Create(terminal),
            SelectCommand.Create(terminal),
            RunCommand.Create(terminal),
            TranslateCommand.Create(terminal),
            InspectCommand.Create(terminal),
            DoctorCommand.Create(terminal),
        };
        root.Options.Add(SharedOptions.Json);
        return root;
    }

    /// <summary>Bad input, full disks and missing devices: what a user can mend. Anything else is a fault of ours, and shows its trace.</summary>
    static bool IsExpected(Exception e) => e
        is CommandException or OnnxFormatException or DataFormatException or ProfileFormatException or RuntimeException or ExportException
        or UntrainableModelException or TrainingDivergedException or CheckpointException or IOException or UnauthorizedAccessException;

    static bool IsOfTorchsAbsence(Exception e) => e is DllNotFoundException || e is TypeInitializationException { TypeName: var type } && type.StartsWith(nameof(TorchSharp), StringComparison.Ordinal);

    static IEnumerable<string> VerbOf(ParseResult parsed)
    {
        for (SymbolResult? result = parsed.CommandResult; result?.Parent is not null; result = result.Parent)
        {
            yield return $"{((CommandResult)result).Command.Name} ";
        }
    }
}
