namespace MaestroDeploy.Compressor.Graph;

/// <summary>What a pass through the graph is for; it decides how BatchNorm gets its statistics.</summary>
public enum ForwardMode
{
    /// <summary>Running statistics: what an exported graph computes.</summary>
    Evaluate,

    /// <summary>The batch's statistics, which also move the running ones: the pass at full ranks.</summary>
    TrainFull,

    /// <summary>The batch's statistics, leaving the running ones alone: a pass at sampled ranks.</summary>
    TrainAtRanks,
}
