using System.Text.Json.Serialization;

namespace MaestroDeploy.Profiles;

/// <summary>The plans that one trained model is to be cut to, in a file of its own: what is trained for, and what is exported.</summary>
/// <remarks>
/// Several plans of one budget are candidates, of which training keeps one.
/// Source of the idea: FlexRank's profiles (arXiv:2602.02680), a chain in which each smaller model lies within the larger.
/// </remarks>
public sealed record PlanFile : IVersioned
{
    /// <param name="sourceSha256">SHA-256 of the <c>model.lod.onnx</c> that the plans were made for.</param>
    /// <param name="cost">What the budgets are shares of: <c>macs</c>, <c>params</c>, <c>bytes</c>, <c>latency</c> or <c>ranks</c>.</param>
    /// <param name="plans">The plans, largest budget first; at least one.</param>
    /// <exception cref="ArgumentException">A budget is larger than the one before it, or two plans do not name the same layers.</exception>
    public PlanFile(string sourceSha256, string cost, IReadOnlyList<BudgetedPlan> plans)
    {
        SourceSha256 = Check.Sha256(sourceSha256, nameof(SourceSha256));
        Cost = Check.OneOf(cost, ["macs", "params", "bytes", "latency", "ranks"], nameof(Cost));
        Plans = Check.Inhabited(plans, nameof(Plans));
        foreach (var (larger, smaller) in Plans.Zip(Plans.Skip(1)))
        {
            CheckOrder(larger, smaller);
        }
    }

    /// <inheritdoc/>
    [JsonIgnore]
    public static int CurrentSchema => 1;

    /// <inheritdoc/>
    public int SchemaVersion { get; } = CurrentSchema;

    /// <summary>SHA-256 of the <c>model.lod.onnx</c> that the plans were made for.</summary>
    public string SourceSha256 { get; }

    /// <summary>What the budgets are shares of: <c>macs</c>, <c>params</c>, <c>bytes</c>, <c>latency</c> or <c>ranks</c>.</summary>
    public string Cost { get; }

    /// <summary>The plans, largest budget first; at least one, all of the same layers.</summary>
    public IReadOnlyList<BudgetedPlan> Plans { get; }

    /// <summary>Whether no plan gives any layer more than the plan before it does; dense is more than any rank.</summary>
    public bool Nested => Plans.Zip(Plans.Skip(1)).All(pair => pair.First.Plan.Layers.All(layer => IsAtLeast(layer.Value, pair.Second.Plan[layer.Key])));

    static bool IsAtLeast(LayerRank larger, LayerRank smaller) => larger.IsDense || smaller.Components <= larger.Components;

    static void CheckOrder(BudgetedPlan larger, BudgetedPlan smaller)
    {
        if (larger.Budget < smaller.Budget)
        {
            throw new ArgumentException(FormattableString.Invariant($"Plans go largest budget first; {smaller.Budget} comes after {larger.Budget}."));
        }

        var layers = larger.Plan.Layers.Keys.ToHashSet();
        layers.SymmetricExceptWith(smaller.Plan.Layers.Keys);
        if (layers.Count > 0)
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"All plans name the same layers; of those for {larger.Budget} and {smaller.Budget} only one names '{layers.First()}'."));
        }
    }
}

/// <summary>One plan of a <see cref="PlanFile"/>, and what it was made for.</summary>
/// <param name="Budget">Share of the dense model's cost, in (0, 1].</param>
/// <param name="Plan">A rank, or dense, for each factored layer; at least one layer.</param>
public sealed record BudgetedPlan(double Budget, RankPlan Plan)
{
    /// <summary>Share of the dense model's cost, in (0, 1].</summary>
    public double Budget { get; } = new Budget(Budget).Share;

    /// <summary>A rank, or dense, for each factored layer.</summary>
    public RankPlan Plan { get; } = Plan.Layers.Count > 0 ? Plan : throw new ArgumentException("A plan names at least one layer.", nameof(Plan));
}
