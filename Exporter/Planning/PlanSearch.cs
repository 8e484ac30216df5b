namespace MaestroDeploy.Exporter.Planning;

/// <summary>How plans are found.</summary>
public enum PlanSearch
{
    /// <summary>One share of rank for all layers; nothing is probed.</summary>
    Uniform,

    /// <summary>The plans of least probed error for their cost, over all layers at once.</summary>
    Frontier,

    /// <summary>The plans of the frontier, each a part of the one before it.</summary>
    Nested,

    /// <summary>Maestro's search: step by step the one cut that costs the least error, the whole model run for each.</summary>
    Greedy,
}
