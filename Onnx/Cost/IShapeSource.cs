namespace MaestroDeploy.Onnx.Cost;

/// <summary>What is known of a graph's values while shapes are inferred.</summary>
interface IShapeSource
{
    /// <summary>The shape of a value, or null.</summary>
    long[]? Shape(string value);

    /// <summary>The elements of a value of few whole numbers, such as a shape, or null.</summary>
    long[]? Integers(string value);

    /// <summary>The elements of a value of few floating-point numbers, such as scales, or null.</summary>
    float[]? Floats(string value);
}
