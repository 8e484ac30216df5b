using Microsoft.ML.OnnxRuntime;

namespace MaestroDeploy.Runtime;

/// <summary>One output of a run, in the type that the graph gives it.</summary>
/// <param name="Name">The name that the graph gives it.</param>
/// <param name="Type">Its type, such as <c>float32</c>, <c>int64</c> or <c>bool</c>.</param>
/// <param name="Shape">The size of each axis, outermost first; empty for a scalar.</param>
/// <param name="Bytes">Its numbers as they lie in memory, the last axis running fastest.</param>
public sealed record OutputTensor(string Name, string Type, int[] Shape, byte[] Bytes)
{
    /// <summary>The numbers as .NET has them, such as <c>long[]</c> for <c>int64</c>; those of <c>float16</c> as <c>float[]</c>.</summary>
    public Array ToArray() => ElementType.Named(Type).Read(Bytes) is var numbers && numbers is Float16[] halves
        ? Array.ConvertAll(halves, value => (float)value)
        : numbers;
}
