using System.CommandLine;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary><c>maestro train</c>: factors a network and trains its ranks to be ordered.</summary>
static class TrainCommand
{
    public static Command Create(Terminal terminal)
    {
        var model = new Argument<string>("model") { Description = $"A built-in model ({string.Join(", ", BuiltInModels.Names)}) or an .onnx file." };
        var output = new Option<string>("--out") { Description = $"The folder for {TrainingJob.ModelFile}, {TrainingJob.MetricsFile} and checkpoints.", Required = true };
        var resume = new Option<bool>("--resume") { Description = "Go on from the last finished epoch of a run that was stopped." };
        var threads = SharedOptions.Threads();
        var data = new TrainingDataFlags();
        var size = new ModelSizeFlags();
        var training = new TrainingFlags();
        var command = new Command("train", "Train a model by LoD: the ranks of its layers become ordered by what they are worth.") { model, output, resume, threads };
        data.AddTo(command);
        size.AddTo(command);
        training.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            var options = training.Read(parsed);
            var job = new TrainingJob(parsed.GetValue(output)!, SharedOptions.Settings(Device.Cpu, parsed.GetValue(threads)), terminal, cancellation);
            var set = data.Data(parsed);
            var network = size.Model(parsed, parsed.GetValue(model)!, set, options.Seed);
            terminal.Answer(job.Run(network, parsed.GetValue(model)!, set, options, data.Augmentation(parsed), parsed.GetValue(resume)));
            return Task.FromResult(0);
        });
        return command;
    }
}
