using System.Runtime.InteropServices;
using MaestroDeploy.Cli;
using MaestroDeploy.Cli.Output;

using var stopping = new CancellationTokenSource();

// The first signal stops the work cleanly; a second one finds no handler's patience and ends the process.
void Stop(PosixSignalContext context)
{
    context.Cancel = !stopping.IsCancellationRequested;
    stopping.Cancel();
}

using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
return MaestroCommand.Run(args, new Terminal(Console.Out, Console.Error, interactive: !Console.IsErrorRedirected), stopping.Token);
