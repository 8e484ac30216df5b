namespace MaestroDeploy.Exporter.Planning;

/// <summary>Maestro's search for smaller models without retraining: step by step the cut that loses least for what it saves, each tried on the whole model.</summary>
/// <remarks>Source: Maestro, deployment of one trained model at many sizes. A step takes a layer to its next cheaper option.</remarks>
static class GreedySearch
{
    /// <summary>The models on the way, the costliest first; each is a part of the one before it.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="least">The cost at which the search ends.</param>
    /// <param name="errorOf">The error of the whole model with an option for each layer.</param>
    /// <param name="cancellation">Checked before each trial.</param>
    public static IReadOnlyList<PlanChoice> Descend(
        IReadOnlyList<PlanningLayer> layers, double least, Func<IReadOnlyList<LayerOption>, double> errorOf, CancellationToken cancellation)
    {
        var at = new int[layers.Count];
        var error = errorOf(Chosen(layers, at));
        List<PlanChoice> passed = [new PlanChoice(Chosen(layers, at))];
        while (passed[^1].Cost > least)
        {
            cancellation.ThrowIfCancellationRequested();
            var tries = Enumerable.Range(0, layers.Count).Where(layer => at[layer] + 1 < layers[layer].Options.Count).Select(layer =>
            {
                var next = Chosen(layers, [.. at.Select((option, i) => i == layer ? option + 1 : option)]);
                return (Layer: layer, Error: errorOf(next), Saved: passed[^1].Cost - next.Sum(option => option.Cost));
            }).ToList();
            if (tries.Count == 0)
            {
                break;
            }

            var best = tries.MinBy(one => (one.Error - error) / one.Saved);
            (at[best.Layer], error) = (at[best.Layer] + 1, best.Error);
            passed.Add(new PlanChoice(Chosen(layers, at)));
        }

        return passed;
    }

    static LayerOption[] Chosen(IReadOnlyList<PlanningLayer> layers, int[] at) => [.. layers.Select((layer, i) => layer.Options[at[i]])];
}
