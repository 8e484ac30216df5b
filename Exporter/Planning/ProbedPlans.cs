using MaestroDeploy.Exporter.Slicing;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter.Planning;

/// <summary>The plans of least probed error, of which any share of the dense cost buys one.</summary>
sealed class ProbedPlans : IDisposable
{
    // Errors do not quite add: cuts of many layers may do more harm together than apart, or less. A sum of their squares spreads the
    // cuts, a sum of their roots gathers them.
    static readonly double[] Powers = [1, 0.5, 2];

    readonly LodCost _cost;
    readonly PlanCutter _cutter;
    readonly CostUnit _unit;
    readonly ExportOptions _options;
    readonly ErrorProbe _probe;
    readonly IReadOnlyList<PlanChoice>[] _found;

    /// <param name="cost">What the model costs.</param>
    /// <param name="cutter">Knows which layers can be identity blocks.</param>
    /// <param name="unit">What plans cost.</param>
    /// <param name="options">Which search, and whether there may be identity blocks.</param>
    /// <param name="probe">Runs whole plans; disposed of with this.</param>
    /// <param name="table">The errors of each layer alone.</param>
    /// <param name="least">The share of the dense cost at which a greedy search ends.</param>
    /// <param name="cancellation">Checked between runs.</param>
    public ProbedPlans(LodCost cost, PlanCutter cutter, CostUnit unit, ExportOptions options, ErrorProbe probe, ErrorTable table, double least, CancellationToken cancellation)
    {
        (_cost, _cutter, _unit, _options, _probe) = (cost, cutter, unit, options, probe);
        PlanningLayer[] layers = [.. cost.Layers.Zip(table.Layers, (layer, found) => new PlanningLayer(layer.Pair.Layer, Options(layer, found)))];
        _found = options.Search switch
        {
            PlanSearch.Nested => [NestedChain.Of(layers)],
            PlanSearch.Greedy => [GreedySearch.Descend(layers, least * unit.Dense - unit.Fixed, chosen => probe.Error(RanksOf(chosen)), cancellation)],
            _ => [.. Powers.Select(power => Frontier.Solve([.. layers.Select(layer => Raised(layer, power))], cancellation)), NestedChain.Of(layers)],
        };
    }

    /// <summary>The plan for a share. Of several found, and that of a smaller share beside them, each is run as a whole and the best kept.</summary>
    /// <param name="share">Share of the dense model's cost; where no plan keeps it, the cheapest plan stands.</param>
    /// <param name="smaller">The plan of a smaller share; null for none.</param>
    public FormedPlan Plan(double share, FormedPlan? smaller)
    {
        var plans = Found(share);
        if (_options.Search == PlanSearch.Frontier && smaller is not null && Keeps(smaller, share))
        {
            plans.Add(Filled(smaller, share));
        }

        return plans.Count == 1 ? plans[0] : plans.MinBy(ErrorOf)!;
    }

    /// <summary>Every plan found that keeps a share, beside a frontier the uniform one and the one halfway to it too, each once; where none keeps it, the cheapest.</summary>
    /// <param name="share">Share of the dense model's cost.</param>
    public List<FormedPlan> Found(double share)
    {
        List<FormedPlan> plans = [.. _found.Select(choices => Filled(
            FormedOf(choices.FirstOrDefault(choice => choice.Cost + _unit.Fixed <= share * _unit.Dense) ?? choices[^1]), share))];
        if (_options.Search == PlanSearch.Frontier)
        {
            var uniform = new UniformPlanner(_cost, _unit).Plan(share);
            plans.AddRange([uniform, Filled(Between(plans[0], uniform), share)]);
        }

        var within = plans.Where(plan => Keeps(plan, share)).DistinctBy(plan => plan.Ranks).ToList();
        return within.Count > 0 ? within : [plans.MinBy(_unit.Of)!];
    }

    /// <inheritdoc/>
    public void Dispose() => _probe.Dispose();

    bool Keeps(FormedPlan plan, double share) => _unit.Of(plan) <= share * _unit.Dense;

    /// <summary>The plan halfway between two, by the products of their ranks.</summary>
    FormedPlan Between(FormedPlan one, FormedPlan other) => FormedPlan.Of(_cost, i =>
    {
        var layer = _cost.Layers[i];
        var rank = (int)Math.Round(Math.Sqrt((double)one.RankOf(layer) * other.RankOf(layer)));
        return (_unit.Cheapest(layer, rank).Form, rank);
    });

    static PlanningLayer Raised(PlanningLayer layer, double power) =>
        new(layer.Name, layer.Options.Select(option => option with { Error = Math.Pow(option.Error, power) }));

    /// <summary>Dense, and a pair or a block at each probed rank; a layer whose largest rank is kept dense loses nothing.</summary>
    IEnumerable<LayerOption> Options(PairCost layer, LayerErrors found)
    {
        yield return new LayerOption(LayerRank.Dense, LayerForm.Dense, _unit.Of(layer, LayerForm.Dense, layer.Rank), 0);
        foreach (var (rank, error) in found.Ranks.Zip(found.Errors))
        {
            yield return new LayerOption(new LayerRank(rank), LayerForm.Pair, _unit.Of(layer, LayerForm.Pair, rank), error);
            if (_options.IdentityBlocks && _cutter.CanAlign(layer.Pair, rank))
            {
                yield return new LayerOption(new LayerRank(rank), LayerForm.IdentityBlock, _unit.Of(layer, LayerForm.IdentityBlock, rank), error);
            }
        }
    }

    /// <summary>What a budget leaves over goes to the ranks of linear layers between those that were probed, the cheapest components first.</summary>
    /// <remarks>A convolution's ranks stay where its blocks are full, and a nested chain where it nests; time has steps that a count does not know.</remarks>
    FormedPlan Filled(FormedPlan plan, double share)
    {
        if (_options.Search != PlanSearch.Frontier || _options.Unit == BudgetUnit.Latency)
        {
            return plan;
        }

        var left = share * _unit.Dense - _unit.Of(plan);
        var ranks = _cost.Layers.ToDictionary(layer => layer.Pair.Layer, layer => plan.Ranks[layer.Pair.Layer]);
        foreach (var layer in _cost.Layers.Where(layer => layer.Pair.Kind != LayerKind.Conv && plan.FormOf(layer.Pair.Layer) == LayerForm.Pair).OrderBy(layer => _unit.Of(layer, LayerForm.Pair, 1)))
        {
            var (rank, one) = (ranks[layer.Pair.Layer].Components!.Value, _unit.Of(layer, LayerForm.Pair, 1));
            var more = Math.Clamp((int)(left / one), 0, Math.Max(0, Math.Min(layer.Rank, layer.Pair.BreakEven) - rank));
            (ranks[layer.Pair.Layer], left) = (new LayerRank(rank + more), left - more * one);
        }

        return plan with { Ranks = new RankPlan(ranks) };
    }

    FormedPlan FormedOf(PlanChoice choice) => FormedPlan.Of(_cost, i => (choice.Options[i].Form, choice.Options[i].Rank.Components ?? 0));

    double ErrorOf(FormedPlan plan) => _probe.Error([.. _cost.Layers.Select(plan.RankOf)]);

    int[] RanksOf(IReadOnlyList<LayerOption> chosen) => [.. chosen.Zip(_cost.Layers, (option, layer) => option.Rank.Components ?? layer.Rank)];
}
