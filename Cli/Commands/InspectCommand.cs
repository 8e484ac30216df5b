using System.CommandLine;
using System.Globalization;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Cost;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using Spectre.Console;

namespace MaestroDeploy.Cli.Commands;

/// <summary><c>maestro inspect</c>: what is in a model or a family.</summary>
static class InspectCommand
{
    sealed record ModelReport(string File, string Kind, long IrVersion, long Opset, long Params, long Macs, IReadOnlyList<LayerReport> Layers, IReadOnlyList<SkippedReport> Skipped);

    sealed record LayerReport(string Layer, string Kind, int Out, int In, int? Rank, int FullRank, int BreakEven);

    sealed record SkippedReport(string Node, string Why);

    public static Command Create(Terminal terminal)
    {
        var path = new Argument<string>("path") { Description = "An .onnx file or a family's folder." };
        var command = new Command("inspect", "Tell what is in a model or a family.") { path };
        command.SetAction((parsed, _) =>
        {
            var target = parsed.GetValue(path)!;
            if (Directory.Exists(target))
            {
                InspectFamily(target, terminal);
            }
            else
            {
                InspectModel(target, terminal);
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

    static void InspectModel(string file, Terminal terminal)
    {
        var model = OnnxModel.Load(file);
        var report = LodModel.IsLod(model) ? Describe(file, LodModel.Of(model)) : Describe(file, model);
        terminal.Say($"{file}: {report.Kind}, IR {report.IrVersion}, opset {report.Opset}, {report.Params.ToString("N0", CultureInfo.InvariantCulture)} parameters, "
            + $"{report.Macs.ToString("N0", CultureInfo.InvariantCulture)} MACs a sample");
        var table = Tables.Columns("layer", "kind", "out", "in", "rank", "full rank", "break-even rank");
        foreach (var layer in report.Layers)
        {
            table.AddRow(Markup.Escape(layer.Layer), layer.Kind, $"{layer.Out}", $"{layer.In}", $"{(object?)layer.Rank ?? "dense"}", $"{layer.FullRank}", $"{layer.BreakEven}");
        }

        terminal.Show(table);
        foreach (var skipped in report.Skipped)
        {
            terminal.Say($"{skipped.Node} is left as it is: {skipped.Why}");
        }

        terminal.Answer(report);
    }

    static ModelReport Describe(string file, LodModel lod)
    {
        var ranks = lod.Pairs.Select(pair => pair.Rank(lod.Model)).ToArray();
        var cost = lod.Cost().At(ranks);
        return new ModelReport(file, "model.lod.onnx", lod.Model.Proto.IrVersion, lod.Model.Opset, cost.Params, cost.Macs,
            [.. lod.Pairs.Zip(ranks, (pair, rank) => Describe(pair, rank))], []);
    }

    static ModelReport Describe(string file, OnnxModel model)
    {
        var layers = WeightLayers.Find(model, out var skipped);
        var cost = ModelCost.Of(model);
        return new ModelReport(file, "ONNX model", model.Proto.IrVersion, model.Opset, cost.Params, cost.Macs,
            [.. layers.Select(layer => Describe(new FactorPair(layer.Name, layer.Kind, "", "", [layer.Out, .. layer.In]), null))],
            [.. skipped.Select(one => new SkippedReport(one.Node, one.Why))]);
    }

    static LayerReport Describe(FactorPair pair, int? rank) =>
        new(pair.Layer, pair.Kind == LayerKind.Conv ? "conv" : "linear", pair.Out, pair.In, rank, Math.Min(pair.Out, pair.In), pair.BreakEven);
}
