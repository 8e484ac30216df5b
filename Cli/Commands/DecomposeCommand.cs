using System.CommandLine;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary><c>maestro decompose</c>: factors a model that is there already, without training it.</summary>
static class DecomposeCommand
{
    public static Command Create(Terminal terminal)
    {
        var model = new Argument<string>("model") { Description = "An .onnx file." };
        var output = new Option<string>("--out") { Description = "The model.lod.onnx to write.", Required = true };
        var threads = SharedOptions.Threads();
        var (data, layers) = (new CalibrationFlags(), new LayerFlags());
        var command = new Command("decompose", "Factor a model without training it: by its weights, or better by what its layers answer to data.") { model, output, threads };
        data.AddTo(command);
        layers.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            var choice = layers.Read(parsed);
            OutputPaths.CheckFile(output.Name, parsed.GetValue(output), parsed.GetValue(model));
            var job = new DecompositionJob(SharedOptions.Settings(Device.Cpu, parsed.GetValue(threads)), terminal, cancellation);
            var report = job.Run(parsed.GetValue(model)!, parsed.GetValue(output)!, data.Read(parsed), choice);
            job.Show(report);
            terminal.Answer(report);
            return Task.FromResult(0);
        });
        return command;
    }
}
