using System.CommandLine;
using System.Globalization;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary><c>maestro search-lasso</c>: finds the lasso's weight for a footprint or an accuracy.</summary>
static class SearchLassoCommand
{
    const string TableFile = "search.json";

    /// <param name="Model">The model's file.</param>
    /// <param name="IsMet">Whether it reaches the target.</param>
    /// <param name="Lasso">The weight chosen.</param>
    /// <param name="Accuracy">Share of right answers on the test split, of the file in ONNX Runtime.</param>
    /// <param name="Tries">Every weight tried.</param>
    sealed record SearchReport(string Model, bool IsMet, double Lasso, double Accuracy, IReadOnlyList<LassoTry> Tries);

    public static Command Create(Terminal terminal)
    {
        var model = new Argument<string>("model") { Description = $"A built-in model ({string.Join(", ", BuiltInModels.Names)}) or an .onnx file." };
        var output = new Option<string>("--out") { Description = $"The folder for {TrainingJob.ModelFile} and {TableFile}.", Required = true };
        var macs = new Option<double?>("--target-macs") { Description = "The largest share of the dense model's MACs." };
        var accuracy = new Option<double?>("--target-accuracy") { Description = "The lowest accuracy on the held-out split, 0 to 1." };
        var largest = new Option<double>("--from") { Description = "The first weight; each next is half of it.", DefaultValueFactory = _ => 0.05 };
        var most = new Option<int>("--tries") { Description = "Weights tried at the most.", DefaultValueFactory = _ => 12 };
        var threads = SharedOptions.Threads();
        var data = new TrainingDataFlags();
        var size = new ModelSizeFlags();
        var training = new TrainingFlags();
        var command = new Command("search-lasso", "Find the lasso's weight that meets a footprint or an accuracy, from a large one down.") { model, output, macs, accuracy, largest, most, threads };
        data.AddTo(command);
        size.AddTo(command);
        training.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            var options = training.Read(parsed);
            var target = UsageException.Check(() => new LassoTarget(parsed.GetValue(macs), parsed.GetValue(accuracy)));
            Check(options, parsed.GetValue(largest), parsed.GetValue(most));

            var search = new LassoSearch(options, target, parsed.GetValue(largest), parsed.GetValue(most));
            TrainingJob.CheckFolder(parsed.GetValue(output)!);
            var set = data.Data(parsed);
            var network = size.Model(parsed, parsed.GetValue(model)!, set, options.Seed);
            var settings = SharedOptions.Settings(Device.Cpu, parsed.GetValue(threads));
            TorchSharp.torch.set_num_threads(settings.Threads);
            var start = TrainingJob.Start(network, parsed.GetValue(model)!, set);
            var (learnt, held) = set.Tasks(options, data.Augmentation(parsed));
            var found = search.Run(start, learnt, held!, Tell, new Reporter<TrainingProgress>(at => terminal.Progress($"epoch {at.Epoch} of {at.Epochs}")), cancellation);
            terminal.Answer(Write(parsed.GetValue(output)!, found, set, settings, terminal, cancellation));
            return Task.FromResult(0);
        });
        return command;

        void Tell(LassoTry tried) => terminal.Say(string.Create(CultureInfo.InvariantCulture,
            $"λ {tried.Lasso:g4}  {Units.Share(tried.MacsShare)} of the MACs  validation {Units.Share(tried.ValidationAccuracy)}  {tried.Epochs} epochs{(tried.IsCutShort ? ", cut short" : "")}  ranks {string.Join(' ', tried.Ranks.Values)}"));
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
    }

    static SearchReport Write(string folder, LassoSearchResult found, NamedData data, SessionSettings settings, Terminal terminal, CancellationToken cancellation)
    {
        var path = Path.Combine(folder, TrainingJob.ModelFile);
        found.Result.Model.Save(path);
        using var session = new ModelSession(path, settings);
        var accuracy = data.Measure(session, cancellation)!.Accuracy;
        var lasso = found.Tries[found.Chosen].Lasso;
        var report = new SearchReport(path, found.IsMet, lasso, accuracy, found.Tries);
        TrainingJob.WriteWhole(Path.Combine(folder, TableFile), [ProfilesJson.ToText(report)]);
        terminal.Say(string.Create(CultureInfo.InvariantCulture, $"{path}: λ {lasso:g4}{(found.IsMet ? "" : ", the nearest: none tried meets the target")}, accuracy {Units.Share(accuracy)} on {data.Name}, in ONNX Runtime"));
        return report;
    }
}
