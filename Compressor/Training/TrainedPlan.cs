namespace MaestroDeploy.Compressor.Training;

/// <summary>A plan to be trained for.</summary>
/// <param name="Budget">The share of the dense model's cost that it is made for. Of several plans of one budget, a run keeps the one that it can train best.</param>
/// <param name="Ranks">Rank by layer, 1 and more; a layer that is not named keeps its full rank.</param>
public sealed record TrainedPlan(double Budget, IReadOnlyDictionary<string, int> Ranks);
