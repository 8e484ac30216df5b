namespace MaestroDeploy.Compressor.Training.Optimization;

/// <summary>Which groups of a factor's rows the lasso shrinks together.</summary>
public enum LassoGroups
{
    /// <summary>Every tail, from row b to the last: later rows feel more of them, so that ranks fall from the tail. The default.</summary>
    Tails,

    /// <summary>Every row by itself: the plain group lasso.</summary>
    Rows,
}

/// <summary>How the group lasso acts.</summary>
public enum LassoStep
{
    /// <summary>By its exact proximal step after each gradient step: tails become exactly zero. The default.</summary>
    Proximal,

    /// <summary>By its subgradient, as the paper's code has it: tails end near the learning rate times the weight, and never at zero.</summary>
    Subgradient,
}

/// <summary>How much each layer feels of the lasso.</summary>
public enum LassoWeighting
{
    /// <summary>All alike, as in the paper: layers of many ranks lose most, whatever a rank costs.</summary>
    Even,

    /// <summary>By the multiply-accumulates of one component, the dearest layer's being 1: ranks go where they cost most.</summary>
    Macs,
}

/// <summary>A group lasso over the rows of every factor.</summary>
/// <param name="Weight">Its weight λ beside the loss, 0 and more; 0 is none.</param>
/// <param name="Groups">Which rows belong together.</param>
/// <param name="Step">How it acts.</param>
/// <param name="Weighting">How much each layer feels of it.</param>
/// <param name="Until">
/// Share of the run over which it acts, 0 to 1. What is left then trains free of it: the lasso shortens the rows that stay, too, and that costs accuracy.
/// </param>
public sealed record Lasso(
    double Weight = 0, LassoGroups Groups = LassoGroups.Tails, LassoStep Step = LassoStep.Proximal,
    LassoWeighting Weighting = LassoWeighting.Even, double Until = 1);
