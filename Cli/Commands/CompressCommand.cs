using System.CommandLine;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Data;
using MaestroDeploy.Exporter;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Cli.Commands;

/// <summary><c>maestro compress</c>: from a model that is there already to a family, in one go.</summary>
static class CompressCommand
{
    // What "as good as before" means where nobody says: a point of accuracy, or a hundredth of the outputs' norm.
    const double AccuracyLost = 0.01, OutputError = 0.01;

    /// <summary>What <c>compress --json</c> prints.</summary>
    /// <param name="Family">Where the family is.</param>
    /// <param name="Dense">The baseline.</param>
    /// <param name="Variants">The variants, largest first.</param>
    /// <param name="Keeps">The cheapest variant that is as good as the dense model; absent where none that costs less is.</param>
    /// <param name="Verdict">The same in words.</param>
    sealed record CompressionReport(string Family, VariantReport Dense, IReadOnlyList<VariantReport> Variants, string? Keeps, string Verdict);

    public static Command Create(Terminal terminal)
    {
        var model = new Argument<string>("model") { Description = "An .onnx file." };
        var output = new Option<string>("--out") { Description = "The family's folder; an older family there is replaced whole.", Required = true };
        var keep = new Option<string?>("--keep") { Description = "Where to keep the factored model, a model.lod.onnx, to train it or export it otherwise." };
        var epochs = new Option<int>("--epochs") { Description = "Passes over the data in which the factored model learns to answer as it did before; default none." };
        var rate = new Option<double?>("--learning-rate")
        {
            Description = "The peak while it learns; default 0.002; try a lower one where answers are numbers, not classes.",
            CustomParser = SharedOptions.Parse<double?>(text => SharedOptions.Number(text)),
        };
        var (data, augmentation, layers, planning) = (new CalibrationFlags(), new AugmentationFlags(), new LayerFlags(), new PlanningFlags());
        var command = new Command("compress", "Factor a model, tune it if asked to, and cut it to budgets in one go.") { model, output, epochs, rate, keep };
        data.AddTo(command);
        augmentation.AddTo(command);
        layers.AddTo(command);
        planning.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            var (file, folder, source, settings) = (parsed.GetValue(model)!, parsed.GetValue(output)!, data.Read(parsed), planning.Settings(parsed));
            var job = new CompressionJob(file, source, Tuning(parsed.GetValue(epochs), parsed.GetValue(rate), source, augmentation.Read(parsed)), settings, terminal, cancellation);
            var choice = layers.Read(parsed);
            OutputPaths.CheckOutsideFamilies("--out", folder);
            OutputPaths.CheckFileBeside(keep.Name, parsed.GetValue(keep), folder, file);
            new FamilyExporter(planning.Asked(parsed, folder, file)).Check(folder, source.Evaluation);
            var (manifest, options) = job.Run(folder, parsed.GetValue(keep), choice, factored => planning.Read(parsed, folder, factored, terminal, cancellation));
            planning.Save(parsed, manifest, options, terminal);
            Tell(folder, manifest, source, parsed.GetValue(epochs), terminal);
            return Task.FromResult(0);
        });
        return command;
    }

    static Tuning? Tuning(int epochs, double? rate, CalibrationSource source, Augmentation? augmentation)
    {
        var wrong = epochs < 0 ? $"--epochs is 0 and more; found {epochs}."
            : epochs == 0 && (rate is not null || augmentation is not null) ? "--learning-rate, --crop and --flip are for --epochs, and there are none: nothing is learnt."
            : epochs > 0 && source.Data is null ? "--epochs: there is nothing to learn from; name data that the model is for by --data or --inputs npz:FILE."
            : null;
        if (wrong is not null)
        {
            throw new UsageException(wrong);
        }

        var tune = Recipes.Named(Recipes.Tune);
        return epochs == 0 ? null
            : UsageException.Check(() => new Tuning((tune with { Epochs = epochs, FullPass = false, LearningRate = rate ?? tune.LearningRate }).Checked(), augmentation));
    }

    static void Tell(string folder, FamilyManifest manifest, CalibrationSource source, int epochs, Terminal terminal)
    {
        var report = FamilyReport.Of(folder, manifest, null);
        var before = report.Dense;
        var kept = report.Variants.LastOrDefault(variant => variant.Macs < before.Macs && IsAsGood(variant, before));
        var verdict = kept is null ? Nothing(report, before, source, epochs) : Gain(before, kept);
        terminal.Show(Tables.Family(report));
        if (source.Data?.Doubt(before.Accuracy) is { } doubt)
        {
            terminal.Error(doubt);
        }

        terminal.Say(verdict);
        terminal.Answer(new CompressionReport(folder, report.Dense, report.Variants, kept?.Id, verdict));
    }

    static bool IsAsGood(VariantReport variant, VariantReport dense) => dense.Accuracy is { } accuracy
        ? variant.Accuracy >= accuracy - AccuracyLost
        : variant.Distance?.RelativeError <= OutputError;

    static string Gain(VariantReport dense, VariantReport kept) => $"{kept.Id} is as good as before within {Tolerance(dense)}: "
        + $"{Units.Bytes(dense.Bytes)} → {Units.Bytes(kept.Bytes)}, {Units.Count(dense.Macs)} → {Units.Count(kept.Macs)} MACs, {Change(dense, kept)}.";

    static string Nothing(FamilyReport report, VariantReport before, CalibrationSource source, int epochs)
    {
        var smaller = report.Variants.Where(variant => variant.Macs < before.Macs);
        var nearest = smaller.MaxBy(variant => variant.Accuracy ?? -variant.Distance?.RelativeError ?? double.NegativeInfinity) is { } best
            ? $"the nearest, {best.Id}, comes to {Change(before, best)}"
            : "none of them costs less";
        var advice = source.Evaluation is null ? "Name data that the model is for by --data or --inputs: by its weights alone it is cut worse."
            : epochs > 0 ? "Tune it for longer (--epochs), on images that vary (--crop, --flip) or at another --learning-rate, or leave it as it is."
            : "Without training there is little to be gained from this model: tune it (--epochs 4), or leave it as it is.";
        return $"No budget is as good as before within {Tolerance(before)}: {nearest}. {advice}";
    }

    static string Tolerance(VariantReport dense) => dense.Accuracy is null ? "1 % of the outputs" : "1 point of accuracy";

    static string Change(VariantReport dense, VariantReport variant) => dense.Accuracy is not null
        ? $"accuracy {Units.Share(dense.Accuracy)} → {Units.Share(variant.Accuracy)}"
        : $"output error {Units.Error(variant.Distance?.RelativeError)}{(variant.Distance?.Inputs == OutputDistance.Random ? " on random inputs" : "")}";
}
