using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Exporter.Slicing;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter.Planning;

/// <summary>Makes the plans of a family.</summary>
/// <param name="lod">The trained model.</param>
/// <param name="errors">Where its layers' errors are kept.</param>
/// <param name="data">What errors are measured on.</param>
/// <param name="options">What is asked for.</param>
/// <param name="settings">How graphs are run.</param>
/// <param name="scratch">A folder for files that do not stay.</param>
/// <param name="tell">Told what is being done.</param>
sealed class Planner(LodModel lod, ErrorTables errors, EvaluationData data, ExportOptions options, SessionSettings settings, string scratch, Action<string> tell)
{
    // The smallest default budget: a spread of variants ends there, since what is cheaper answers anyhow.
    const double LeastShare = 1 / 32.0;

    // A share names its variant, so it is told as people would: b34.78.
    const int ShareDigits = 4;
    const double LeastAsked = 1e-4;

    // Errors do not quite add: cuts of many layers may do more harm together than apart, or less. A sum of their squares spreads the
    // cuts, a sum of their roots gathers them.
    static readonly double[] Powers = [1, 0.5, 2];

    readonly LodCost _cost = lod.Cost();
    readonly PlanCutter _cutter = new(lod);

    /// <summary>The plans, each once, the largest first.</summary>
    /// <param name="cancellation">Checked between runs.</param>
    /// <exception cref="ExportException">The layer latencies are missing or of another network.</exception>
    public IReadOnlyList<PlannedVariant> Plan(CancellationToken cancellation)
    {
        if (options.Plans is { } given)
        {
            // A file of plans knows ranks alone; a block stands where it costs less.
            var byCost = options.Unit == BudgetUnit.Latency && options.Latencies is not null ? UnitOf(options.Unit)! : CostUnit.Macs(_cost);
            return [.. given.Plans.Select(plan => Given(plan, byCost))];
        }

        var unit = UnitOf(options.Unit);
        var plans = options.Search == PlanSearch.Uniform ? Uniform(unit) : Searched(unit ?? CostUnit.Macs(_cost), cancellation);
        return [.. plans.DistinctBy(plan => plan.Plan).OrderByDescending(plan => plan.Cost.Macs)];
    }

    // Training may have removed components since.
    PlannedVariant Given(BudgetedPlan plan, CostUnit unit) => plan.Plan.Layers.Keys.ToHashSet() is var named && named.SetEquals(lod.Pairs.Select(pair => pair.Layer))
        ? PlannedVariant.Of(_cost, plan.Budget, FormedPlan.Of(lod.Pairs, i => plan.Plan[lod.Pairs[i].Layer].Components is { } rank
            ? Form(_cost.Layers[i], Math.Min(rank, _cost.Layers[i].Rank), unit)
            : (LayerForm.Dense, 0)))
        : throw new ExportException($"The plans are of another network: they name {string.Join(", ", named.Order().Take(5))}, and this one's layers are {string.Join(", ", lod.Pairs.Select(pair => pair.Layer).Take(5))}.");

    (LayerForm Form, int Rank) Form(PairCost layer, int rank, CostUnit unit)
    {
        var block = options.IdentityBlocks && _cutter.CanAlign(layer.Pair, rank) && unit.Of(layer, LayerForm.IdentityBlock, rank) < unit.Of(layer, LayerForm.Pair, rank);
        return (block ? LayerForm.IdentityBlock : LayerForm.Pair, rank);
    }

    CostUnit? UnitOf(BudgetUnit unit) => unit switch
    {
        BudgetUnit.Ranks => null,
        BudgetUnit.Params => CostUnit.Params(_cost),
        BudgetUnit.Bytes => CostUnit.Bytes(_cost, lod.Pairs.All(pair => pair.Type(lod.Model) == TensorProto.Types.DataType.Float16) ? 2 : 4),
        BudgetUnit.Latency => CostUnit.Latency(_cost, options.Latencies
            ?? throw new ExportException("A plan by latency needs the latencies of the layers on its device: make them there with 'maestro profile MODEL.lod.onnx'.")),
        _ => CostUnit.Macs(_cost),
    };

    IEnumerable<PlannedVariant> Uniform(CostUnit? unit)
    {
        var planner = new UniformPlanner(_cost, unit);
        return Shares(unit).Select(share => PlannedVariant.Of(_cost, share, planner.Plan(share)));
    }

    List<PlannedVariant> Searched(CostUnit unit, CancellationToken cancellation)
    {
        tell("probing");
        using var probe = new ErrorProbe(lod, _cost, data, settings, scratch);
        var table = errors.Get(probe.InputsSha256, () => probe.Measure(errors.SourceSha256, _cost, tell, cancellation));
        PlanningLayer[] layers = [.. _cost.Layers.Zip(table.Layers, (layer, found) => new PlanningLayer(layer.Pair.Layer, Options(unit, layer, found)))];
        var shares = Shares(unit).ToArray();
        tell("planning");
        IReadOnlyList<PlanChoice>[] found = options.Search switch
        {
            PlanSearch.Nested => [NestedChain.Of(layers)],
            PlanSearch.Greedy => [GreedySearch.Descend(layers, shares.Min() * unit.Dense - unit.Fixed, chosen => probe.Error(RanksOf(chosen)), cancellation)],
            _ => [.. Powers.Select(power => Frontier.Solve([.. layers.Select(layer => Raised(layer, power))], cancellation))],
        };
        List<PlannedVariant> plans = [];
        foreach (var share in shares.Order())
        {
            plans.Add(Best(share, found, unit, probe, plans.LastOrDefault()));
        }

        // Where time has a floor, the fastest plan answers anyhow and saves next to nothing: a limit that none keeps gets no variant.
        return options.Unit != BudgetUnit.Latency ? plans
            : plans.Where(plan => unit.Of(plan.Formed) <= plan.Budget.Share * unit.Dense).ToList() is { Count: > 0 } kept ? kept
            : [PlannedVariant.Dense(_cost)];
    }

    static PlanningLayer Raised(PlanningLayer layer, double power) =>
        new(layer.Name, layer.Options.Select(option => option with { Error = Math.Pow(option.Error, power) }));

    /// <summary>Dense, and a pair or a block at each probed rank; a layer whose largest rank is kept dense loses nothing.</summary>
    IEnumerable<LayerOption> Options(CostUnit unit, PairCost layer, LayerErrors found)
    {
        yield return new LayerOption(LayerRank.Dense, LayerForm.Dense, unit.Of(layer, LayerForm.Dense, layer.Rank), 0);
        foreach (var (rank, error) in found.Ranks.Zip(found.Errors))
        {
            yield return new LayerOption(new LayerRank(rank), LayerForm.Pair, unit.Of(layer, LayerForm.Pair, rank), error);
            if (options.IdentityBlocks && _cutter.CanAlign(layer.Pair, rank))
            {
                yield return new LayerOption(new LayerRank(rank), LayerForm.IdentityBlock, unit.Of(layer, LayerForm.IdentityBlock, rank), error);
            }
        }
    }

    /// <summary>The shares of the dense cost that are asked for, or spread evenly by ratio.</summary>
    IEnumerable<double> Shares(CostUnit? unit)
    {
        if (options.Variants is { } count)
        {
            return Enumerable.Range(0, count).Select(i => Math.Round(Math.Pow(LeastShare, i / Math.Max(1.0, count - 1)), ShareDigits));
        }

        return (options.Limits.Count > 0 && unit is not null
            ? options.Limits.Select(limit => Math.Clamp(Math.Round(limit / unit.Dense, ShareDigits), LeastAsked, 1))
            : options.Budgets.Select(budget => budget.Share)).Distinct();
    }

    /// <summary>The plan for a share. Of several found, beside a frontier the uniform one and that of the next smaller share, each is run as a whole and the best kept.</summary>
    PlannedVariant Best(double share, IReadOnlyList<PlanChoice>[] found, CostUnit unit, ErrorProbe probe, PlannedVariant? smaller)
    {
        List<FormedPlan> plans = [.. found.Select(choices => Filled(
            FormedOf(choices.FirstOrDefault(choice => choice.Cost + unit.Fixed <= share * unit.Dense) ?? choices[^1]), share, unit))];
        if (options.Search == PlanSearch.Frontier)
        {
            plans.Add(new UniformPlanner(_cost, unit).Plan(share));
            plans.AddRange(smaller is null ? [] : [Filled(smaller.Formed, share, unit)]);
        }

        var within = plans.Where(plan => unit.Of(plan) <= share * unit.Dense).ToList();
        return PlannedVariant.Of(_cost, share, within.Count == 0 ? plans.MinBy(unit.Of)! : within.Count == 1 ? within[0] : within.MinBy(plan => ErrorOf(plan, probe))!);
    }

    /// <summary>What a budget leaves over goes to the ranks of linear layers between those that were probed, the cheapest components first.</summary>
    /// <remarks>A convolution's ranks stay where its blocks are full, and a nested chain where it nests; time has steps that a count does not know.</remarks>
    FormedPlan Filled(FormedPlan plan, double share, CostUnit unit)
    {
        if (options.Search != PlanSearch.Frontier || options.Unit == BudgetUnit.Latency)
        {
            return plan;
        }

        var left = share * unit.Dense - unit.Of(plan);
        var ranks = _cost.Layers.ToDictionary(layer => layer.Pair.Layer, layer => plan.Ranks[layer.Pair.Layer]);
        foreach (var layer in _cost.Layers.Where(layer => layer.Pair.Kind != LayerKind.Conv && plan.FormOf(layer.Pair.Layer) == LayerForm.Pair).OrderBy(layer => unit.Of(layer, LayerForm.Pair, 1)))
        {
            var (rank, one) = (ranks[layer.Pair.Layer].Components!.Value, unit.Of(layer, LayerForm.Pair, 1));
            var more = Math.Clamp((int)(left / one), 0, Math.Max(0, Math.Min(layer.Rank, layer.Pair.BreakEven) - rank));
            (ranks[layer.Pair.Layer], left) = (new LayerRank(rank + more), left - more * one);
        }

        return plan with { Ranks = new RankPlan(ranks) };
    }

    FormedPlan FormedOf(PlanChoice choice) => FormedPlan.Of(lod.Pairs, i => (choice.Options[i].Form, choice.Options[i].Rank.Components ?? 0));

    double ErrorOf(FormedPlan plan, ErrorProbe probe) => probe.Error([.. _cost.Layers.Select(layer => plan.Ranks[layer.Pair.Layer].Components ?? layer.Rank)]);

    int[] RanksOf(IReadOnlyList<LayerOption> chosen) => [.. chosen.Zip(_cost.Layers, (option, layer) => option.Rank.Components ?? layer.Rank)];
}
