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

    /// <summary>The axis that goes over the samples of a batch: the first one of a graph's first input.</summary>
    /// <param name="inputs">A graph's inputs.</param>
    public static Axis BatchOf(IReadOnlyList<TensorSignature> inputs) => inputs is [{ Shape: [var first, ..] }, ..] ? first : "N";

    /// <summary>Whether an open axis goes over the samples of a batch: one of the batch axis's name, or a first one without a name of its own (<c>?</c>).</summary>
    /// <param name="axis">Its place.</param>
    /// <param name="batch">The graph's <see cref="BatchOf"/>.</param>
    public bool GoesOverBatch(int axis, Axis batch) => Shape[axis] is { Name: { } name } open && (name == "?" ? axis == 0 : open == batch);

    /// <summary>As one would write it: <c>image float32 [N, 1, 28, 28]</c>.</summary>
    public override string ToString() => $"{Name} {Type} [{string.Join(", ", Shape)}]";
}
