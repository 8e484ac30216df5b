namespace MaestroDeploy.Runtime;

/// <summary>One output of a run.</summary>
/// <param name="Name">The name that the graph gives it.</param>
/// <param name="Shape">The size of each axis, outermost first.</param>
/// <param name="Values">Its numbers, the last axis running fastest; as many as the shape holds.</param>
public sealed record NamedTensor(string Name, int[] Shape, float[] Values);
