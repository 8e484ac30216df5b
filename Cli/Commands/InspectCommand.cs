using System.CommandLine;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using Spectre.Console;

namespace MaestroDeploy.Cli.Commands;

/// <summary><c>maestro inspect</c>: what is in a model or a family.</summary>
static class InspectCommand
{
    public static Command Create(Terminal terminal)
    {
        var path = new Argument<string>("path") { Description = "An .onnx file or a family's folder." };
        var openAxis = new Option<int?>("--open-axis")
        {
            Description = "What MACs are counted at where a model leaves an axis other than the batch open; 224 for images and 1 for the rest unless given.",
        };
        openAxis.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() < 1)
            {
                result.AddError("--open-axis is a size of 1 or more.");
            }
        });
        var command = new Command("inspect", "Tell what is in a model or a family.") { path, openAxis };
        command.SetAction((parsed, cancellation) =>
        {
            var target = parsed.GetValue(path)!;
            if (Directory.Exists(target))
            {
                InspectFamily(target, terminal);
            }
            else
            {
                ModelInspection.Run(target, parsed.GetValue(openAxis), terminal, cancellation);
            }

            return Task.FromResult(0);
        });
        return command;
    }

    static void InspectFamily(string folder, Terminal terminal)
    {
        var family = Family.Open(folder);
        var profile = ProfileStore.Beside(family).Find(family, DeviceProbe.Read(), new SessionSettings(), batch: 1).Profile;
        var report = FamilyReport.Of(folder, family.Manifest, profile);
        var made = family.Manifest.Provenance;
        terminal.Say($"{family.Manifest.Name}: {made.Model ?? made.Source}, trained on {made.Data ?? "nothing told"}, takes {string.Join("; ", family.Manifest.Inputs)}, every file as its hash says");
        terminal.Say(report.BeforeAndAfter());
        terminal.Show(Tables.Family(report));
        terminal.Show(Ranks(family.Manifest));
        terminal.Answer(report);
    }

    static Table Ranks(FamilyManifest manifest)
    {
        var table = Tables.Columns("layer", ["kind", "out", "in", "kept", .. manifest.Variants.Select(variant => variant.Id)]);
        foreach (var layer in manifest.Layers)
        {
            table.AddRow([Markup.Escape(layer.Name), layer.Kind, $"{layer.Out}", $"{layer.In}", $"{layer.Rank}",
                .. manifest.Variants.Select(variant => variant.Plan?.Layers.GetValueOrDefault(layer.Name).ToString() ?? "dense")]);
        }

        return table;
    }
}
