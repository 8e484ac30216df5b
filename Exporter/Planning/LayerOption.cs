using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter.Planning;

/// <summary>How a layer is written into a graph.</summary>
public enum LayerForm
{
    /// <summary>One node on the whole weight.</summary>
    Dense,

    /// <summary>Two nodes on two factors.</summary>
    Pair,

    /// <summary>Two nodes on two factors of which one holds an identity that is not computed: FlexRank's gauge-aligned form.</summary>
    IdentityBlock,
}

/// <summary>One way to write a layer, what it costs, and what it does to the answers.</summary>
/// <param name="Rank">Its components, or dense.</param>
/// <param name="Form">How it is written.</param>
/// <param name="Cost">In the unit of the plan: multiply-accumulates, parameters, bytes or microseconds.</param>
/// <param name="Error">0 where nothing is cut.</param>
public sealed record LayerOption(LayerRank Rank, LayerForm Form, double Cost, double Error);

/// <summary>A layer as a planner sees it.</summary>
public sealed record PlanningLayer
{
    // Two times that differ by less are one step of the staircase: what a rank below it saves is noise.
    const double SameStep = 0.01;

    /// <param name="name">The layer's name.</param>
    /// <param name="options">Every way to write it, at least one.</param>
    public PlanningLayer(string name, IEnumerable<LayerOption> options)
    {
        Name = name;
        Options = Undominated(options);
    }

    /// <summary>The layer's name.</summary>
    public string Name { get; }

    /// <summary>The ways that none other beats in both cost and error, the costliest first: cost falls and error rises.</summary>
    public IReadOnlyList<LayerOption> Options { get; }

    // From the least error on, an option must be cheaper than all before it: that leaves the edges of steps alone.
    static List<LayerOption> Undominated(IEnumerable<LayerOption> options)
    {
        List<LayerOption> kept = [];
        foreach (var option in options.OrderBy(option => option.Error).ThenBy(option => option.Cost))
        {
            if (kept.Count == 0 || option.Cost < (1 - SameStep) * kept[^1].Cost)
            {
                kept.Add(option);
            }
        }

        return kept;
    }
}
