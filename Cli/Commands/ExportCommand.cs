using System.CommandLine;
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
        var source = new Argument<string>("model") { Description = "A model.lod.onnx." };
        var output = new Option<string>("--out") { Description = "The family's folder; an older family there is replaced whole.", Required = true };
        var data = new Option<string?>("--data") { Description = $"Recalibrates BatchNorm, probes layers and measures accuracy: {string.Join(", ", NamedData.Forms)}." };
        var dataDir = SharedOptions.DataDir();
        var format = new SampleFormatFlags();
        var inputs = CalibrationFlags.Inputs();
        var planning = new PlanningFlags();
        var command = new Command("export", "Cut a trained model to budgets: one ONNX graph each, all reading one weights file.") { source, output, data, dataDir, inputs };
        format.AddTo(command);
        planning.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            CalibrationFlags.CheckOne(parsed.GetValue(data), parsed.GetValue(inputs));
            var set = parsed.GetValue(data) is { } name ? NamedData.Load(name, parsed.GetValue(dataDir), format.Read(parsed)) : null;
            var (file, folder) = (parsed.GetValue(source)!, parsed.GetValue(output)!);
            var options = planning.Read(parsed, file, terminal, cancellation);
            var manifest = Export(file, folder, set?.Evaluation ?? CalibrationFlags.Unlabelled(parsed.GetValue(inputs)), options, terminal, cancellation);
            planning.Save(parsed, manifest, terminal);
            var report = FamilyReport.Of(folder, manifest, null);
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

    public static FamilyManifest Export(string source, string folder, EvaluationData? data, ExportOptions options, Terminal terminal, CancellationToken cancellation)
    {
        var progress = new Reporter<ExportProgress>(at => terminal.Progress($"graph {at.Done + 1} of {at.Total}", at.Doing));
        var manifest = new FamilyExporter(options).Export(source, folder, data, progress, cancellation);
        terminal.Say($"{folder}: {manifest.Variants.Count} variants; {FamilyReport.Of(folder, manifest, profile: null).BeforeAndAfter()}");
        foreach (var over in manifest.Variants.Where(variant => IsOver(variant, manifest.Dense, options.Unit)))
        {
            terminal.Say($"{over.Id} is over its budget: no layer can go below rank 1, and that costs {Units.Count(over.Macs)} MACs and {Units.Count(over.Params)} parameters.");
        }

        TellBlocks(manifest, terminal);
        TellDropped(options, manifest, terminal);
        return manifest;
    }

    /// <summary>The plans alone.</summary>
    public static PlanChain Plan(string source, EvaluationData? data, ExportOptions options, Terminal terminal, CancellationToken cancellation) =>
        new FamilyExporter(options).Plan(source, data, new Reporter<ExportProgress>(at => terminal.Progress(at.Doing)), cancellation);

    static bool IsOver(Variant variant, Variant dense, BudgetUnit unit) => unit switch
    {
        BudgetUnit.Params => variant.Params > variant.Budget * dense.Params,
        BudgetUnit.Macs => variant.Macs > variant.Budget * dense.Macs,
        _ => false,
    };

    static void TellBlocks(FamilyManifest manifest, Terminal terminal)
    {
        var blocks = manifest.Variants.Sum(variant => variant.IdentityBlocks?.Count ?? 0);
        if (blocks > 0)
        {
            var own = manifest.Variants.Sum(variant => (variant.IdentityBlocks ?? []).Sum(layer => BlockBytes(manifest, variant, layer)));
            terminal.Say($"{blocks} layers are identity blocks, whose {Units.Bytes(own)} of weights no other variant shares.");
        }
    }

    static long BlockBytes(FamilyManifest manifest, Variant variant, string name)
    {
        var (layer, rank) = (manifest.Layers.First(layer => layer.Name == name), variant.Plan![name].Components!.Value);
        return sizeof(float) * (long)rank * (layer.In + layer.Out - rank);
    }

    static void TellDropped(ExportOptions options, FamilyManifest manifest, Terminal terminal)
    {
        var dropped = options.Variants is null && options.Limits.Count == 0
            ? options.Budgets.Select(budget => budget.Share).Except(manifest.Variants.Select(variant => variant.Budget ?? 1)).ToArray()
            : [];
        if (dropped.Length > 0 && options.MinAccuracy is null)
        {
            terminal.Say($"No variant of their own, since they come to the plan of another: {string.Join(", ", dropped.Select(share => Units.Share(share)))}.");
        }
    }
}
