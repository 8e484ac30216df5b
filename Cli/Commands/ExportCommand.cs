using System.CommandLine;
using System.Globalization;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Exporter;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Cli.Commands;

/// <summary><c>maestro export</c>: cuts a trained model to budgets.</summary>
static class ExportCommand
{
    public static Command Create(Terminal terminal)
    {
        var defaults = new ExportOptions();
        var source = new Argument<string>("model") { Description = "A model.lod.onnx." };
        var output = new Option<string>("--out") { Description = "The family's folder; an older family there is replaced whole.", Required = true };
        var data = new Option<string?>("--data") { Description = $"Recalibrates BatchNorm and measures accuracy: {string.Join(", ", NamedData.Forms)}." };
        var dataDir = SharedOptions.DataDir();
        var format = new SampleFormatFlags();
        var inputs = CalibrationFlags.Inputs();
        var budgets = Budgets();
        var unit = Unit();
        var command = new Command("export", "Cut a trained model to budgets: one ONNX graph each, all reading one weights file.")
        {
            source, output, data, dataDir, inputs, budgets, unit,
        };
        format.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            var options = defaults with { Budgets = parsed.GetValue(budgets)!, Unit = parsed.GetValue(unit) };
            var set = parsed.GetValue(data) is { } name ? NamedData.Load(name, parsed.GetValue(dataDir), format.Read(parsed)) : null;
            var folder = parsed.GetValue(output)!;
            var report = FamilyReport.Of(folder, Export(parsed.GetValue(source)!, folder, set?.Evaluation ?? CalibrationFlags.Unlabelled(parsed.GetValue(inputs)), options, terminal, cancellation), null);
            if (set?.Doubt(report.Dense.Accuracy) is { } doubt)
            {
                terminal.Error(doubt);
            }

            terminal.Show(Tables.Family(report));
            terminal.Answer(report);
            return Task.FromResult(0);
        });
        return command;
    }

    public static Option<Budget[]> Budgets() => new("--budgets")
    {
        Description = "Shares of the dense model's cost, such as 1,0.5,0.25.",
        DefaultValueFactory = _ => [.. new ExportOptions().Budgets],
        CustomParser = SharedOptions.Parse(Shares),
    };

    public static Option<BudgetUnit> Unit() => new("--by")
    {
        Description = "What budgets are shares of: macs, params or ranks.",
        DefaultValueFactory = _ => new ExportOptions().Unit,
    };

    public static FamilyManifest Export(string source, string folder, EvaluationData? data, ExportOptions options, Terminal terminal, CancellationToken cancellation)
    {
        var progress = new Reporter<ExportProgress>(at => terminal.Progress($"graph {at.Done + 1} of {at.Total}", at.Doing));
        var manifest = new FamilyExporter(options).Export(source, folder, data, progress, cancellation);
        var (dense, smallest) = (manifest.Dense, manifest.Variants[^1]);
        terminal.Say($"{folder}: {manifest.Variants.Count} variants; {dense.Id} → {smallest.Id}: {Units.Bytes(dense.Bytes)} → {Units.Bytes(smallest.Bytes)}, "
            + $"{Units.Count(dense.Macs)} → {Units.Count(smallest.Macs)} MACs, {Units.Quality(dense.Accuracy, dense.Distance)} → {Units.Quality(smallest.Accuracy, smallest.Distance)}");
        foreach (var over in manifest.Variants.Where(variant => IsOver(variant, dense, options.Unit)))
        {
            terminal.Say($"{over.Id} is over its budget: no layer can go below rank 1, and that costs {Units.Count(over.Macs)} MACs and {Units.Count(over.Params)} parameters.");
        }

        var dropped = options.Budgets.Select(budget => budget.Share).Except(manifest.Variants.Select(variant => variant.Budget ?? 1)).ToArray();
        if (dropped.Length > 0)
        {
            terminal.Say($"No variant of their own, since they come to the plan of another: {string.Join(", ", dropped.Select(share => Units.Share(share)))}.");
        }

        return manifest;
    }

    static bool IsOver(Variant variant, Variant dense, BudgetUnit unit) => unit switch
    {
        BudgetUnit.Params => variant.Params > variant.Budget * dense.Params,
        BudgetUnit.Macs => variant.Macs > variant.Budget * dense.Macs,
        _ => false,
    };

    static Budget[] Shares(string text) =>
        [.. text.Split(',').Select(share => new Budget(double.Parse(share, NumberStyles.Float, CultureInfo.InvariantCulture)))];
}
