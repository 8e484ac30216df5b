namespace MaestroDeploy.Profiles;

/// <summary>What one input or output of a graph looks like.</summary>
public sealed record TensorSignature(string Name, string Type, IReadOnlyList<Axis> Shape)
{
    /// <summary>The name that the graph gives it.</summary>
    public string Name { get; } = Check.Text(Name);

    /// <summary>Element type: <c>float32</c>, <c>int64</c>, <c>uint8</c> and so on.</summary>
    public string Type { get; } = Check.Text(Type);

    /// <summary>Its axes, outermost first; empty for a scalar.</summary>
    public IReadOnlyList<Axis> Shape { get; } = Check.List(Shape);

    /// <summary>As one would write it: <c>image float32 [N, 1, 28, 28]</c>.</summary>
    public override string ToString() => $"{Name} {Type} [{string.Join(", ", Shape)}]";
}
