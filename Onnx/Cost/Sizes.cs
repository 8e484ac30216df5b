namespace MaestroDeploy.Onnx.Cost;

/// <summary>Arithmetic on sizes that a file states, which may be as large as it likes.</summary>
static class Sizes
{
    /// <summary>The product of some sizes, or the largest long where it does not fit.</summary>
    public static long Product(IEnumerable<long> sizes)
    {
        Int128 product = 1;
        foreach (var size in sizes)
        {
            product = Int128.Min(product * Math.Max(0, size), long.MaxValue);
        }

        return (long)product;
    }

    /// <summary>The sum of some counts, or the largest long where it does not fit.</summary>
    public static long Sum(IEnumerable<long> counts) => (long)counts.Aggregate(Int128.Zero, (sum, count) => Int128.Min(sum + count, long.MaxValue));

    /// <summary>The product of two counts, or the largest long where it does not fit.</summary>
    public static long Times(long a, long b) => (long)Int128.Min((Int128)a * b, long.MaxValue);
}
