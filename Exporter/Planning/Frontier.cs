namespace MaestroDeploy.Exporter.Planning;

/// <summary>One option chosen for every layer.</summary>
/// <param name="Options">The options, in the order of the layers.</param>
public sealed record PlanChoice(IReadOnlyList<LayerOption> Options)
{
    /// <summary>What the layers cost together.</summary>
    public double Cost { get; } = Options.Sum(option => option.Cost);

    /// <summary>Their errors, added up: that they add is the one assumption, as in FlexRank.</summary>
    public double Error { get; } = Options.Sum(option => option.Error);
}

/// <summary>The plans that no other beats in both cost and error, over all layers at once.</summary>
/// <remarks>
/// Dynamic programming: the frontier of the first k layers, and each option of the next, give the frontier of the first k + 1.
/// Source: FlexRank, section on rank selection.
/// </remarks>
public static class Frontier
{
    /// <summary>States kept a layer; up to here the frontier is exact, beyond it the best of each of as many equal steps of cost.</summary>
    public const int MostStates = 16384;

    readonly record struct State(double Cost, double Error, int From, int Option);

    /// <summary>Every plan of the frontier, the costliest first: cost falls and error rises.</summary>
    /// <param name="layers">The layers; at least one.</param>
    /// <param name="cancellation">Checked before each layer.</param>
    public static IReadOnlyList<PlanChoice> Solve(IReadOnlyList<PlanningLayer> layers, CancellationToken cancellation = default)
    {
        List<State[]> stages = [[new State(0, 0, -1, -1)]];
        foreach (var layer in layers)
        {
            cancellation.ThrowIfCancellationRequested();
            stages.Add(Undominated(Thinned(Extended(stages[^1], layer))));
        }

        return [.. Enumerable.Range(0, stages[^1].Length).Select(last => Trace(stages, layers, last)).Reverse()];
    }

    static State[] Extended(State[] states, PlanningLayer layer)
    {
        var extended = new State[states.Length * layer.Options.Count];
        for (var (option, at) = (0, 0); option < layer.Options.Count; option++)
        {
            var (cost, error) = (layer.Options[option].Cost, layer.Options[option].Error);
            for (var from = 0; from < states.Length; from++, at++)
            {
                extended[at] = new State(states[from].Cost + cost, states[from].Error + error, from, option);
            }
        }

        return extended;
    }

    static State[] Thinned(State[] states)
    {
        if (states.Length <= MostStates)
        {
            return states;
        }

        var (least, most) = (states.Min(state => state.Cost), states.Max(state => state.Cost));
        var best = new State?[MostStates];
        foreach (var state in states)
        {
            ref var held = ref best[(int)((MostStates - 1) * (state.Cost - least) / Math.Max(double.Epsilon, most - least))];
            held = held is { } other && (other.Error, other.Cost).CompareTo((state.Error, state.Cost)) <= 0 ? other : state;
        }

        // The cheapest of all may share its step with better ones, and is what the smallest budgets get.
        return [.. best.OfType<State>(), states.MinBy(state => (state.Cost, state.Error))];
    }

    // The cheapest first, each with less error than all before it.
    static State[] Undominated(State[] states)
    {
        Array.Sort(states, (a, b) => (a.Cost, a.Error).CompareTo((b.Cost, b.Error)));
        var least = double.PositiveInfinity;
        return [.. states.Where(state =>
        {
            var better = state.Error < least;
            least = Math.Min(least, state.Error);
            return better;
        })];
    }

    static PlanChoice Trace(List<State[]> stages, IReadOnlyList<PlanningLayer> layers, int last)
    {
        var options = new LayerOption[layers.Count];
        for (var (stage, at) = (layers.Count, last); stage > 0; stage--)
        {
            var state = stages[stage][at];
            options[stage - 1] = layers[stage - 1].Options[state.Option];
            at = state.From;
        }

        return new PlanChoice(options);
    }
}
