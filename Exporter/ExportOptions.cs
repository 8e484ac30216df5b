using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter;

/// <summary>What to cut, and how to check it.</summary>
public sealed record ExportOptions
{
    /// <summary>Shares of the dense model's cost, in any order; default 1, 1/2, 1/4, 1/8, 1/16 and 1/32.</summary>
    public IReadOnlyList<Budget> Budgets { get; init; } = [.. new[] { 1, 0.5, 0.25, 0.125, 0.0625, 0.03125 }.Select(share => new Budget(share))];

    /// <summary>What the budgets are shares of; default multiply-accumulates.</summary>
    public BudgetUnit Unit { get; init; } = BudgetUnit.Macs;

    /// <summary>How plans are found; null for what suits the model, the data and the unit.</summary>
    /// <remarks>
    /// That is by probed errors where budgets are of latency, and where there is data and the model was only decomposed, or comes
    /// with <see cref="Plans"/>; by one share of rank for all layers where it was trained to be cut so, and where there is nothing to probe on.
    /// </remarks>
    public PlanSearch? Search { get; init; }

    /// <summary>Budgets in the unit itself, microseconds or bytes, in the place of <see cref="Budgets"/>; default none.</summary>
    public IReadOnlyList<double> Limits { get; init; } = [];

    /// <summary>Variants spread evenly by ratio from the dense cost down to a thirty-second, in the place of budgets; null for none.</summary>
    public int? Variants { get; init; }

    /// <summary>The lowest accuracy of a variant, in 0..1; null for any. What comes out below is left out, and the cheapest plan found to reach it is added.</summary>
    public double? MinAccuracy { get; init; }

    /// <summary>Whether linear layers may be written as identity blocks where that costs less; default not.</summary>
    public bool IdentityBlocks { get; init; }

    /// <summary>What the layers take on the device that is planned for; null unless budgets are of latency.</summary>
    public LayerLatencies? Latencies { get; init; }

    /// <summary>Plans that were made before, in the place of budgets; null for none.</summary>
    public PlanFile? Plans { get; init; }

    /// <summary>The <c>model.lod.onnx</c> that the model was before it was tuned: the family's dense graph, which variants are held against. Null for the model itself.</summary>
    /// <remarks>A model that is tuned for its smaller plans may be worse at full size than what its user brought.</remarks>
    public string? Original { get; init; }
}

/// <summary>Where an export is.</summary>
/// <param name="Doing">What is being done now.</param>
/// <param name="Done">Graphs finished.</param>
/// <param name="Total">Graphs in all, the dense one included; 0 while plans are still looked for.</param>
public sealed record ExportProgress(string Doing, int Done, int Total);
