namespace MaestroDeploy.Data;

/// <summary>Some samples and their labels, in arrays that belong to whoever receives the batch.</summary>
/// <param name="Samples">The scaled samples, <c>[Count, C, H, W]</c> row-major.</param>
/// <param name="Labels">The class of each sample, <c>[Count]</c>.</param>
/// <param name="Count">How many samples there are, at least 1.</param>
public sealed record Batch(float[] Samples, int[] Labels, int Count);
