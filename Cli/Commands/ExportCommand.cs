using System.CommandLine;
using MaestroDeploy.Cli.Output;
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
        var original = new Option<string?>("--original") { Description = "The model.lod.onnx that the model was before it was tuned: the family's dense graph, which variants are held against." }.OfFiles();
        var candidates = new Option<string?>("--save-candidates") { Description = "Write every plan found for each budget to a file, for 'train --plans', which keeps the one that it can train best." };
        var planning = new PlanningFlags();
        var command = new Command("export", "Cut a trained model to budgets: one ONNX graph each, all reading one weights file.") { source, output, data, dataDir, inputs, original, candidates };
        format.AddTo(command);
        planning.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            CalibrationFlags.CheckOne(parsed.GetValue(data), parsed.GetValue(inputs));
            var set = format.Data(parsed, parsed.GetValue(data), parsed.GetValue(dataDir));
            var (file, folder) = (parsed.GetValue(source)!, parsed.GetValue(output)!);
            OutputPaths.CheckOutsideFamilies(output.Name, folder);
            OutputPaths.CheckFileBeside(candidates.Name, parsed.GetValue(candidates), folder, file);
            var samples = set?.Evaluation ?? CalibrationFlags.Unlabelled(parsed.GetValue(inputs));
            var options = planning.Read(parsed, folder, file, terminal, cancellation) with { Original = parsed.GetValue(original) };
            if (options.Plans is not null && parsed.GetValue(candidates) is not null)
            {
                throw new UsageException($"{candidates.Name} is of the plans that are found for budgets, and --plans names plans; give one of them.");
            }

            var manifest = FamilyExport.Export(file, folder, samples, options, planning.Settings(parsed), terminal, cancellation);
            planning.Save(parsed, manifest, options, terminal);
            if (parsed.GetValue(candidates) is { } path)
            {
                var found = FamilyExport.Candidates(file, samples, options, planning.Settings(parsed), terminal, cancellation);
                ProfilesJson.Write(path, found);
                terminal.Say($"{path}: {found.Plans.Count} plans for {found.Plans.DistinctBy(plan => plan.Budget).Count()} budgets.");
            }

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
}
