using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Data;
using MaestroDeploy.Exporter.Verification;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary><c>maestro train</c>: factors a network and trains its ranks to be ordered.</summary>
static class TrainCommand
{
    public const string ModelFile = "model.lod.onnx", MetricsFile = "metrics.jsonl";

    // One line of JSON an epoch, as JSON Lines readers expect.
    static readonly JsonSerializerOptions OneLine = new(ProfilesJson.Options) { WriteIndented = false };

    public static Command Create(Terminal terminal)
    {
        var defaults = new TrainingOptions();
        var model = new Argument<string>("model") { Description = $"A built-in model ({string.Join(", ", BuiltInModels.Names)}) or an .onnx file." };
        var data = new Option<string>("--data") { Description = $"What to train on: {string.Join(", ", DataSets.Names)}.", Required = true };
        var dataDir = SharedOptions.DataDir();
        var output = new Option<string>("--out") { Description = $"The folder for {ModelFile} and {MetricsFile}.", Required = true };
        var recipe = new Option<Recipe>("--recipe") { Description = "nested trains whole families; paper is Maestro's Algorithm 1.", DefaultValueFactory = _ => defaults.Recipe };
        var epochs = Number("--epochs", "Passes over the training split.", defaults.Epochs);
        var batch = Number("--batch-size", "Samples a step.", defaults.BatchSize);
        var rate = Number("--learning-rate", "The peak; it rises at first and falls as a cosine.", defaults.LearningRate);
        var decay = Number("--weight-decay", "On tensors of two axes and more.", defaults.WeightDecay);
        var clip = Number("--clip", "The longest gradient before it is scaled down.", defaults.ClipNorm);
        var lasso = Number("--lasso", "Weight of the hierarchical group lasso; above 0 it removes ranks.", defaults.Lasso);
        var lassoStep = new Option<LassoStep>("--lasso-step") { Description = "proximal makes exact zeros; subgradient is the paper's code.", DefaultValueFactory = _ => defaults.LassoStep };
        var smallest = Number("--smallest-share", "The smallest share of the MACs that the nested recipe trains.", defaults.SmallestShare);
        var seed = Number("--seed", "Seeds weights, batches and sampling.", defaults.Seed);
        var hidden = new Option<int[]?>("--hidden")
        {
            Description = "Widths of an mlp's hidden layers; default: 1024,1024.",
            CustomParser = SharedOptions.Parse<int[]?>(Widths),
        };
        var threads = SharedOptions.Threads();
        var command = new Command("train", "Train a model by LoD: the ranks of its layers become ordered by what they are worth.")
        {
            model, data, dataDir, output, recipe, epochs, batch, rate, decay, clip, lasso, lassoStep, smallest, seed, hidden, threads,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var options = UsageException.Check(() => new TrainingOptions
            {
                Recipe = parsed.GetValue(recipe),
                Epochs = parsed.GetValue(epochs),
                BatchSize = parsed.GetValue(batch),
                LearningRate = parsed.GetValue(rate),
                WeightDecay = parsed.GetValue(decay),
                ClipNorm = parsed.GetValue(clip),
                Lasso = parsed.GetValue(lasso),
                LassoStep = parsed.GetValue(lassoStep),
                SmallestShare = parsed.GetValue(smallest),
                Seed = parsed.GetValue(seed),
            }.Checked());
            var settings = SharedOptions.Settings(Device.Cpu, parsed.GetValue(threads));
            var set = SharedOptions.LoadData(parsed.GetValue(data)!, parsed.GetValue(dataDir));
            var network = Model(parsed.GetValue(model)!, set, options.Seed, parsed.GetValue(hidden) is { Length: > 0 } widths ? widths : null);
            var report = Train(network, parsed.GetValue(model)!, set, options, settings, parsed.GetValue(output)!, terminal, cancellation);
            terminal.Answer(report);
            return Task.FromResult(0);
        });
        return command;
    }

    /// <summary>Trains a dense model, or a factored one further, and writes its run folder, at the end and whole.</summary>
    public static TrainingReport Train(OnnxModel model, string name, DataSet data, TrainingOptions options, SessionSettings settings, string folder, Terminal terminal,
        CancellationToken cancellation)
    {
        CheckFolder(folder);
        TorchSharp.torch.set_num_threads(settings.Threads);
        terminal.Progress("factoring");
        var provenance = new LodProvenance(Model: Path.GetFileName(name), Data: data.Name, Scaling: data.Scaling);
        var start = LodModel.IsLod(model) ? new LodModel(model, LodModel.Of(model).Pairs, provenance) : SvdFactoring.Factor(model, provenance);
        List<string> metrics = [];
        var trained = new Trainer(options).Train(start, data.Train,
            epoch =>
            {
                metrics.Add(JsonSerializer.Serialize(epoch, OneLine));
                terminal.Say(string.Create(CultureInfo.InvariantCulture,
                    $"epoch {epoch.Epoch,3}  loss {epoch.Loss:0.000}  train accuracy {Units.Share(epoch.TrainAccuracy)}  {Units.Count(epoch.Macs)} MACs  {epoch.Seconds:0.0} s"));
            },
            new Reporter<TrainingProgress>(at => terminal.Progress($"epoch {at.Epoch} of {at.Epochs}", string.Create(CultureInfo.InvariantCulture, $"step {at.Step} of {at.Steps}, loss {at.Loss:0.000}"))),
            cancellation);

        terminal.Progress("measuring accuracy");
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, ModelFile);
        trained.Save(path);
        WriteWhole(Path.Combine(folder, MetricsFile), metrics);
        using var session = new ModelSession(path, settings);
        var accuracy = Accuracy.Measure(session, data.Test, cancellation);
        terminal.Say($"{path}: accuracy {Units.Share(accuracy)} on {data.Test.Count:N0} samples of {data.Test.Name}, in ONNX Runtime");

        var ranks = trained.Pairs.Select(pair => pair.Rank(trained.Model)).ToArray();
        var cost = trained.Cost().At(ranks);
        return new TrainingReport(name, options.Epochs, cost.Params, cost.Macs, accuracy,
            new RankPlan(trained.Pairs.Zip(ranks, (pair, rank) => KeyValuePair.Create(pair.Layer, new LayerRank(rank)))));
    }

    static OnnxModel Model(string name, DataSet data, int seed, int[]? hidden)
    {
        if (!name.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))
        {
            return UsageException.Check(() => BuiltInModels.Create(name, data.Train.SampleShape.AsSpan(), data.Train.Classes, seed, hidden));
        }

        return hidden is null ? OnnxModel.Load(name) : throw new UsageException("--hidden is for the built-in mlp; an .onnx file has its own widths.");
    }

    // Found out now, not after an hour of training.
    static void CheckFolder(string folder)
    {
        for (var path = Path.GetFullPath(folder); path is not null && !Directory.Exists(path); path = Path.GetDirectoryName(path))
        {
            if (File.Exists(path))
            {
                throw new CommandException($"--out {folder}: {path} is a file, where a folder is needed.");
            }
        }
    }

    static void WriteWhole(string path, IEnumerable<string> lines)
    {
        File.WriteAllLines(path + ".partial", lines);
        File.Move(path + ".partial", path, overwrite: true);
    }

    static int[] Widths(string text)
    {
        var widths = text.Split(',').Select(width => int.Parse(width, NumberStyles.None, CultureInfo.InvariantCulture)).ToArray();
        return widths.All(width => width is >= 1 and <= 1 << 14) ? widths : throw new FormatException($"Widths are 1 to 16384; found '{text}'.");
    }

    static Option<T> Number<T>(string name, string description, T otherwise)
        where T : IParsable<T> => new(name)
        {
            Description = description,
            DefaultValueFactory = _ => otherwise,
            CustomParser = SharedOptions.Parse(text => T.TryParse(text, CultureInfo.InvariantCulture, out var number)
                ? number
                : throw new FormatException($"'{text}' is not a number, or not one of its kind.")),
        };
}
