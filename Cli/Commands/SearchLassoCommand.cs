using System.CommandLine;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary><c>maestro search-lasso</c>: finds the lasso's weight for a footprint or an accuracy.</summary>
static class SearchLassoCommand
{
    public static Command Create(Terminal terminal)
    {
        var model = new Argument<string>("model") { Description = $"A built-in model ({string.Join(", ", BuiltInModels.Names)}) or an .onnx file." };
        var output = new Option<string>("--out") { Description = $"The folder for {TrainingJob.ModelFile}, {LassoSearchJob.TableFile} and the run of each try.", Required = true };
        var macs = new Option<double?>("--target-macs") { Description = "The largest share of the dense model's MACs.", CustomParser = SharedOptions.Parse<double?>(text => SharedOptions.Number(text)) };
        var accuracy = new Option<double?>("--target-accuracy") { Description = "The lowest accuracy on the held-out split, 0 to 1.", CustomParser = SharedOptions.Parse<double?>(text => SharedOptions.Number(text)) };
        var largest = new Option<double>("--from") { Description = "The first weight; each next is half of it.", DefaultValueFactory = _ => 0.05, CustomParser = SharedOptions.Parse(SharedOptions.Number) };
        var most = new Option<int>("--tries") { Description = "Weights tried at the most.", DefaultValueFactory = _ => 12 };
        var resume = new Option<bool>("--resume") { Description = "Go on with a search that was stopped, from the last finished epoch of its last try." };
        var threads = SharedOptions.Threads();
        var data = new TrainingDataFlags();
        var size = new ModelSizeFlags();
        var training = new TrainingFlags();
        var command = new Command("search-lasso", "Find the lasso's weight that meets a footprint or an accuracy, from a large one down.") { model, output, macs, accuracy, largest, most, resume, threads };
        data.AddTo(command);
        size.AddTo(command);
        training.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            var options = training.Read(parsed, hasLasso: true);
            var target = UsageException.Check(() => new LassoTarget(parsed.GetValue(macs), parsed.GetValue(accuracy)));
            Check(options, parsed.GetValue(largest), parsed.GetValue(most));

            var set = data.Data(parsed);
            var network = size.Model(parsed, parsed.GetValue(model)!, set, options.Seed);
            training.Check(parsed, network);
            var job = new LassoSearchJob(parsed.GetValue(output)!, SharedOptions.Settings(Device.Cpu, parsed.GetValue(threads)), terminal, cancellation);
            terminal.Answer(job.Run(network, parsed.GetValue(model)!, set, options, target, parsed.GetValue(largest), parsed.GetValue(most), data.Augmentation(parsed), parsed.GetValue(resume)));
            return Task.FromResult(0);
        });
        return command;
    }

    static void Check(TrainingOptions options, double largest, int most)
    {
        if (options.Validation == 0 || !(largest > 0 && double.IsFinite(largest)) || most < 1)
        {
            throw new UsageException($"A search needs a --validation above 0 (found {options.Validation}), a --from above 0 (found {largest}) and --tries of 1 or more (found {most}).");
        }

        if (options.Lasso.Weight > 0)
        {
            throw new UsageException("--lasso is what is searched for; give the first weight as --from.");
        }

        if (options.DenseEpochs >= options.Epochs)
        {
            throw new UsageException($"--dense-epochs is {options.DenseEpochs}, and leaves none of the {options.Epochs} epochs to the lasso, which acts on factors.");
        }
    }
}
