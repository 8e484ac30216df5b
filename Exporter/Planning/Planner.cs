using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Exporter.Slicing;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter.Planning;

/// <summary>Makes the plans of a family.</summary>
/// <param name="lod">The trained model.</param>
/// <param name="cutter">Cuts it, and knows which layers can be identity blocks.</param>
/// <param name="errors">Where its layers' errors are kept.</param>
/// <param name="data">What errors are measured on.</param>
/// <param name="options">What is asked for, the search included.</param>
/// <param name="settings">How graphs are run.</param>
/// <param name="scratch">A folder for files that do not stay.</param>
/// <param name="tell">Told what is being done.</param>
sealed class Planner(
    LodModel lod, PlanCutter cutter, ErrorTables errors, EvaluationData data, ExportOptions options, SessionSettings settings, string scratch, Action<string> tell) : IDisposable
{
    // The smallest default budget: a spread of variants ends there, since what is cheaper answers anyhow.
    const double LeastShare = 1 / 32.0;

    // A share names its variant, so it is told as people would: b34.78.
    const int ShareDigits = 4;

    /// <summary>The smallest share of the dense cost that is planned for, and the step in which shares are told.</summary>
    public const double LeastAsked = 1e-4;

    readonly LodCost _cost = lod.Cost();
    ProbedPlans? _probed;

    /// <summary>The plans that are asked for, each once, the largest first.</summary>
    /// <param name="cancellation">Checked between runs.</param>
    /// <exception cref="ExportException">The layer latencies are missing or of another network.</exception>
    public IReadOnlyList<PlannedVariant> Plan(CancellationToken cancellation)
    {
        if (options.Plans?.Plans.CountBy(plan => plan.Budget).FirstOrDefault(budget => budget.Value > 1) is { Value: > 1 } several)
        {
            throw new ExportException(FormattableString.Invariant(
                $"There are {several.Value} plans for a budget of {several.Key}, of which training keeps one: cut to the plans.json of the run that trained them."));
        }

        var plans = options.Plans is { } given ? given.Plans.Select(Given)
            : options.Search == PlanSearch.Uniform ? Shares().Select(share => For(share, smaller: null, cancellation))
            : Probed(cancellation);
        return [.. plans.DistinctBy(plan => plan.Plan).OrderByDescending(plan => plan.Cost.Macs)];
    }

    /// <summary>Every plan found for each share that is asked for, none for two shares: which of them trains best only training can tell.</summary>
    /// <param name="cancellation">Checked between runs.</param>
    /// <exception cref="ExportException">The layer latencies are missing or of another network.</exception>
    public IReadOnlyList<PlannedVariant> Candidates(CancellationToken cancellation) => options.Search == PlanSearch.Uniform || options.Plans is not null
        ? Plan(cancellation)
        : Kept([.. Shares().Order()
            .SelectMany(share => (_probed ??= Probe(cancellation)).Found(share).Select(found => PlannedVariant.Of(_cost, share, found)))
            .DistinctBy(plan => plan.Plan)]);

    /// <summary>The plan that a share of the dense cost buys.</summary>
    /// <param name="share">The share, in (0, 1].</param>
    /// <param name="smaller">The plan of a smaller share, which is one to begin with; null for none.</param>
    /// <param name="cancellation">Checked between runs.</param>
    /// <exception cref="ExportException">The layer latencies are missing or of another network.</exception>
    public PlannedVariant For(double share, PlannedVariant? smaller, CancellationToken cancellation) => PlannedVariant.Of(_cost, share, options.Search == PlanSearch.Uniform
        ? WithBlocks(new UniformPlanner(_cost, Unit).Plan(share))
        : (_probed ??= Probe(cancellation)).Plan(share, smaller?.Formed));

    /// <summary>What a plan costs, as a share of the dense model's cost; by ranks, which have no cost, the share that was asked for.</summary>
    public double ShareOf(PlannedVariant planned) => Unit is { } unit ? unit.Of(planned.Formed) / unit.Dense : planned.Budget.Share;

    /// <inheritdoc/>
    public void Dispose()
    {
        _probed?.Dispose();
        _probed = null;
    }

    // A file of plans knows ranks alone, and may come without the table that it was made by.
    CostUnit? Unit => field ??= options.Unit switch
    {
        BudgetUnit.Ranks when options.Plans is null => null,
        BudgetUnit.Params => CostUnit.Params(_cost),
        BudgetUnit.Bytes => CostUnit.Bytes(_cost, lod.Pairs.All(pair => pair.Type(lod.Model) == TensorProto.Types.DataType.Float16) ? 2 : 4),
        BudgetUnit.Latency when options.Latencies is { } table => CostUnit.Latency(_cost, table),
        BudgetUnit.Latency when options.Plans is null =>
            throw new ExportException("A plan by latency needs the latencies of the layers on its device: make them there with 'maestro profile MODEL.lod.onnx'."),
        _ => CostUnit.Macs(_cost),
    };

    // Training may have removed components since.
    PlannedVariant Given(BudgetedPlan plan) => plan.Plan.Layers.Keys.ToHashSet() is var named && named.SetEquals(lod.Pairs.Select(pair => pair.Layer))
        ? PlannedVariant.Of(_cost, plan.Budget, FormedPlan.Of(lod.Pairs, i => plan.Plan[lod.Pairs[i].Layer].Components is { } rank
            ? Form(_cost.Layers[i], Math.Min(rank, _cost.Layers[i].Rank))
            : (LayerForm.Dense, 0)))
        : throw new ExportException($"The plans are of another network: they name {string.Join(", ", named.Order().Take(5))}, and this one's layers are {string.Join(", ", lod.Pairs.Select(pair => pair.Layer).Take(5))}.");

    FormedPlan WithBlocks(FormedPlan plan) => !options.IdentityBlocks ? plan : FormedPlan.Of(_cost, i => plan.FormOf(_cost.Layers[i].Pair.Layer) == LayerForm.Pair
        ? Form(_cost.Layers[i], plan.RankOf(_cost.Layers[i]))
        : (LayerForm.Dense, 0));

    // A block stands where it costs less.
    (LayerForm Form, int Rank) Form(PairCost layer, int rank)
    {
        var unit = Unit ?? CostUnit.Macs(_cost);
        var block = options.IdentityBlocks && cutter.CanAlign(layer.Pair, rank) && unit.Of(layer, LayerForm.IdentityBlock, rank) < unit.Of(layer, LayerForm.Pair, rank);
        return (block ? LayerForm.IdentityBlock : LayerForm.Pair, rank);
    }

    List<PlannedVariant> Probed(CancellationToken cancellation)
    {
        List<PlannedVariant> plans = [];
        foreach (var share in Shares().Order())
        {
            plans.Add(For(share, plans.LastOrDefault(), cancellation));
        }

        return Kept(plans);
    }

    // Where time has a floor, the fastest plan answers anyhow and saves next to nothing: a limit that none keeps gets no variant.
    List<PlannedVariant> Kept(List<PlannedVariant> plans) => options.Unit != BudgetUnit.Latency ? plans
        : plans.Where(plan => ShareOf(plan) <= plan.Budget.Share).ToList() is { Count: > 0 } kept ? kept
        : [PlannedVariant.Dense(_cost)];

    ProbedPlans Probe(CancellationToken cancellation)
    {
        tell("probing");
        var probe = new ErrorProbe(lod, _cost, data, settings, scratch);
        try
        {
            var table = errors.Get(probe.InputsSha256, () => probe.Measure(errors.SourceSha256, _cost, tell, cancellation));
            tell("planning");
            return new ProbedPlans(_cost, cutter, Unit ?? CostUnit.Macs(_cost), options, probe, table, options.MinAccuracy is null ? Shares().Min() : LeastAsked, cancellation);
        }
        catch
        {
            probe.Dispose();
            throw;
        }
    }

    /// <summary>The shares of the dense cost that are asked for, or spread evenly by ratio.</summary>
    IEnumerable<double> Shares()
    {
        if (options.Variants is { } count)
        {
            return Enumerable.Range(0, count).Select(i => Math.Round(Math.Pow(LeastShare, i / Math.Max(1.0, count - 1)), ShareDigits));
        }

        return (options.Limits.Count > 0 && Unit is { } unit
            ? options.Limits.Select(limit => Math.Clamp(Math.Round(limit / unit.Dense, ShareDigits), LeastAsked, 1))
            : options.Budgets.Select(budget => budget.Share)).Distinct();
    }
}
