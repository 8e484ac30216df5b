namespace MaestroDeploy.Exporter.Report;

/// <summary>What is worth choosing: no other is at least as fast and at least as good, and better in one of the two.</summary>
static class ParetoFrontier
{
    /// <summary>The items that no other dominates, the fastest first. Equals do not dominate one another.</summary>
    /// <param name="items">What there is to choose from.</param>
    /// <param name="latency">Less is better.</param>
    /// <param name="merit">More is better.</param>
    public static IReadOnlyList<T> Of<T>(IEnumerable<T> items, Func<T, double> latency, Func<T, double> merit)
    {
        var frontier = new List<T>();
        foreach (var item in items.OrderBy(latency).ThenByDescending(merit))
        {
            if (frontier.Count == 0 || merit(item) > merit(frontier[^1])
                || (merit(item) == merit(frontier[^1]) && latency(item) == latency(frontier[^1])))
            {
                frontier.Add(item);
            }
        }

        return frontier;
    }
}
