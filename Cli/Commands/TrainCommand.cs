using System.CommandLine;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Compressor.Training.Tasks;
using MaestroDeploy.Profiles;
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
        var teacher = new Option<string?>("--teacher") { Description = "A model, such as the original, whose answers are learnt instead of the labels." }.OfFiles();
        var plans = new Option<string?>("--plans") { Description = "A file of plans made for the model, as 'export --save-plans' or '--save-candidates' writes it: each step trains one of them, not a share drawn at random; of several for one budget the one that trains best is kept." }.OfFiles();
        var threads = SharedOptions.Threads();
        var data = new TrainingDataFlags(allowsInputs: true);
        var size = new ModelSizeFlags();
        var training = new TrainingFlags();
        var command = new Command("train", "Train a model by LoD: the ranks of its layers become ordered by what they are worth.") { model, output, teacher, plans, resume, threads };
        data.AddTo(command);
        size.AddTo(command);
        training.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            var options = training.Read(parsed, hasTeacher: parsed.GetValue(teacher) is not null, hasPlans: parsed.GetValue(plans) is not null);
            var trained = parsed.GetValue(plans) is { } planned ? Plans(planned, parsed.GetValue(model)!, parsed.GetValue(output)!) : null;
            if (!parsed.GetValue(resume))
            {
                TrainingJob.CheckUnfinished(parsed.GetValue(output)!);
            }

            var job = new TrainingJob(parsed.GetValue(output)!, SharedOptions.Settings(Device.Cpu, parsed.GetValue(threads)), terminal, cancellation);
            var set = data.Data(parsed);
            var network = size.Model(parsed, parsed.GetValue(model)!, set, options.Seed);
            training.Check(parsed, network);
            using var original = parsed.GetValue(teacher) is { } file ? new Teacher(file, SharedOptions.Settings(Device.Cpu, parsed.GetValue(threads))) : null;
            terminal.Answer(job.Run(network, parsed.GetValue(model)!, set, options, trained, data.Augmentation(parsed), original, parsed.GetValue(resume)));
            return Task.FromResult(0);
        });
        return command;
    }

    /// <summary>The plans of a file, which must have been made for the model as it is.</summary>
    static PlanFile Plans(string file, string model, string folder)
    {
        if (Path.GetFullPath(file) == Path.GetFullPath(Path.Combine(folder, TrainingJob.PlansFile)))
        {
            throw new UsageException($"--plans {file}: the run writes the plans that it keeps there; name another folder by --out.");
        }

        if (!File.Exists(model))
        {
            throw new CommandException($"{model}: there is no such file, and --plans are made for one.");
        }

        var made = ProfilesJson.Read<PlanFile>(file);
        if (FileHash.Sha256Of(model) != made.SourceSha256)
        {
            throw new CommandException($"--plans {file}: its plans were made for another model than {model}; make them again for this one.");
        }

        return made;
    }
}
