using MaestroDeploy.Cli.Output;
using MaestroDeploy.Exporter;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary>Writes a family for every verb that makes one, and tells what is to be known of it.</summary>
static class FamilyExport
{
    public static FamilyManifest Export(
        string source, string folder, EvaluationData? data, ExportOptions options, SessionSettings settings, Terminal terminal, CancellationToken cancellation)
    {
        var manifest = new FamilyExporter(options, settings, new SourceDate()).Export(source, folder, data, Progress(terminal), cancellation);
        terminal.Say($"{folder}: {manifest.Variants.Count} variants; {FamilyReport.Of(folder, manifest, profile: null).BeforeAndAfter()}");
        foreach (var over in manifest.Variants.Where(variant => IsOver(variant, manifest.Dense, options.Unit)))
        {
            terminal.Say($"{over.Id} is over its budget: no layer can go below rank 1, and that costs {Units.Count(over.Macs)} MACs and {Units.Count(over.Params)} parameters.");
        }

        TellFloor(manifest, terminal);
        TellForetold(manifest, options, terminal);
        TellBlocks(manifest, terminal);
        TellIdle(manifest, options, terminal);
        TellDropped(options, manifest, terminal);
        return manifest;
    }

    /// <summary>Every plan found for each budget.</summary>
    public static PlanFile Candidates(string source, EvaluationData? data, ExportOptions options, SessionSettings settings, Terminal terminal, CancellationToken cancellation) =>
        new FamilyExporter(options, settings).Candidates(source, data, Progress(terminal), cancellation);

    static Reporter<ExportProgress> Progress(Terminal terminal) => new(at =>
    {
        if (at.Total == 0)
        {
            terminal.Progress(at.Doing);
        }
        else
        {
            terminal.Progress($"graph {at.Done + 1} of {at.Total}", at.Doing);
        }
    });

    // A budget in bytes is of weights; a graph's own few kB come on top.
    const long GraphsOwn = 64 << 10;

    static bool IsOver(Variant variant, Variant dense, BudgetUnit unit) => unit switch
    {
        BudgetUnit.Params => variant.Params > variant.Budget * dense.Params,
        BudgetUnit.Macs => variant.Macs > variant.Budget * dense.Macs,
        BudgetUnit.Bytes => variant.Bytes > GraphsOwn + variant.Budget * dense.Bytes,
        _ => false,
    };

    /// <summary>Which variant was looked for, and how far its accuracy is to be trusted.</summary>
    static void TellFloor(FamilyManifest manifest, Terminal terminal)
    {
        if (manifest.Variants.FirstOrDefault(variant => variant.AccuracyFloor is not null) is { } found)
        {
            terminal.Say($"{found.Id} is the cheapest plan found that reaches an accuracy of {Units.Share(found.AccuracyFloor)}: {Units.Share(found.Accuracy)} on {found.AccuracyData}. "
                + $"It was chosen by these {found.AccuracySamples} samples: others may give {Units.Share(found.AccuracyMargin)} more or less, and less is likelier.");
        }
    }

    /// <summary>What the layers' table says of each variant.</summary>
    static void TellForetold(FamilyManifest manifest, ExportOptions options, Terminal terminal)
    {
        if (options.Latencies is not { } table)
        {
            return;
        }

        var latency = new LatencyCost(table);
        var dense = table.FixedUs + manifest.Layers.Sum(layer => latency.Of(layer.Name, LayerForm.Dense, rank: 0));
        foreach (var variant in manifest.Variants)
        {
            var foretold = latency.Predict(new FormedPlan(variant.Plan!, (variant.IdentityBlocks ?? []).ToHashSet()));
            terminal.Say($"{variant.Id}: {Units.Microseconds(foretold)} foretold of {Units.Microseconds(variant.Budget * dense)}");
        }
    }

    static void TellBlocks(FamilyManifest manifest, Terminal terminal)
    {
        var blocks = manifest.Variants.Sum(variant => variant.IdentityBlocks?.Count ?? 0);
        if (blocks > 0)
        {
            var own = manifest.Variants.Sum(variant => (variant.IdentityBlocks ?? []).Sum(layer => BlockBytes(manifest, variant, layer)));
            terminal.Say($"{blocks} layers are identity blocks, whose {Units.Bytes(own)} of weights no other variant shares.");
        }
    }

    /// <summary>Where multiply-accumulates say little of time.</summary>
    static void TellIdle(FamilyManifest manifest, ExportOptions options, Terminal terminal)
    {
        var idle = manifest.Variants.Where(variant => options.Unit == BudgetUnit.Macs && manifest.Layers.Any(layer => layer.Kind == FactoredLayer.Convolution
            && variant.Plan![layer.Name].Components is { } rank && !ConvolutionBlocks.Fills(layer.Out, layer.In, rank))).Select(variant => variant.Id).ToArray();
        if (idle.Length > 0)
        {
            terminal.Say($"{string.Join(", ", idle)}: convolutions at ranks that fill no block of {ConvolutionBlocks.Channels} channels, or save next to nothing, take longer than their MACs say, "
                + "maybe longer than dense; --by latency plans by what they take here.");
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
        var cut = manifest.Variants.Count(variant => variant.Plan!.Layers.Values.Any(rank => !rank.IsDense));
        if (options.Limits.Count > cut && options.MinAccuracy is null)
        {
            terminal.Say($"{options.Limits.Count - cut} of {options.Limits.Count} limits have no smaller variant of their own: no plan keeps them, or they come to the plan of another, or dense keeps them too.");
        }

        if (dropped.Length > 0 && options.MinAccuracy is null)
        {
            var why = options.Unit == BudgetUnit.Latency ? "no plan is that fast on this device, or they come to the plan of another" : "they come to the plan of another";
            terminal.Say($"No variant of their own, since {why}: {string.Join(", ", dropped.Select(share => Units.Share(share)))}.");
        }
    }
}
