namespace MaestroDeploy.Exporter.Planning;

/// <summary>Plans of which each is a part of the one before it, and none worse than any other plan of its cost.</summary>
/// <remarks>
/// For a price λ of cost, the plan of least error + λ·cost takes for each layer the option that is least by itself, which lies on the
/// lower convex hull of that layer's options. As λ rises a layer only moves on along its hull, towards less cost: the plans nest by
/// construction, and each is optimal for what it costs. (FlexRank filters its frontier for nested plans, which loses some.)
/// </remarks>
public static class NestedChain
{
    /// <summary>The chain, the costliest first; from one plan to the next one layer takes one step.</summary>
    /// <param name="layers">The layers; at least one.</param>
    public static IReadOnlyList<PlanChoice> Of(IReadOnlyList<PlanningLayer> layers)
    {
        var hulls = layers.Select(layer => Hull(layer.Options)).ToArray();
        var steps = hulls.SelectMany((hull, layer) => hull.Skip(1).Select((option, at) => (Layer: layer, Option: option, Price: Price(hull[at], option))));
        var now = hulls.Select(hull => hull[0]).ToArray();
        List<PlanChoice> chain = [new PlanChoice([.. now])];
        foreach (var (layer, option, _) in steps.OrderBy(step => step.Price)) // stable, so a layer's own steps stay in order
        {
            now[layer] = option;
            chain.Add(new PlanChoice([.. now]));
        }

        return chain;
    }

    // The error that a unit of cost saved brings.
    static double Price(LayerOption from, LayerOption to) => (to.Error - from.Error) / (from.Cost - to.Cost);

    static List<LayerOption> Hull(IReadOnlyList<LayerOption> options)
    {
        List<LayerOption> hull = [];
        foreach (var option in options)
        {
            while (hull.Count > 1 && Price(hull[^2], hull[^1]) >= Price(hull[^1], option))
            {
                hull.RemoveAt(hull.Count - 1);
            }

            hull.Add(option);
        }

        return hull;
    }
}
