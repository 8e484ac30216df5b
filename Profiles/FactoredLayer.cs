namespace MaestroDeploy.Profiles;

/// <summary>A layer whose weight <c>W [out, in…]</c> a family holds as ordered factors <c>U [r, out]</c> and <c>V [r, in…]</c>.</summary>
public sealed record FactoredLayer(string Name, string Kind, int Out, int In, int Rank)
{
    /// <summary>The kind of convolutions, and of all other layers.</summary>
    public const string Convolution = "conv", Linear = "linear";

    /// <summary>The name that plans use for it.</summary>
    public string Name { get; } = Check.Text(Name);

    /// <summary><c>linear</c> or <c>conv</c>.</summary>
    public string Kind { get; } = Check.OneOf(Kind, [Linear, Convolution]);

    /// <summary>Rows of its dense weight: output features or channels.</summary>
    public int Out { get; } = Check.AtLeast(1, Out);

    /// <summary>Columns of its dense weight: the product of every axis but the first.</summary>
    public int In { get; } = Check.AtLeast(1, In);

    /// <summary>The largest rank that the family keeps.</summary>
    public int Rank { get; } = Check.AtLeast(1, Rank);
}
