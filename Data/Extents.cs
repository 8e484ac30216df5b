namespace MaestroDeploy.Data;

/// <summary>The extents of a shape, not believed before they are looked at.</summary>
static class Extents
{
    /// <summary>The product of the extents; null when one is negative or no array could be as long.</summary>
    public static int? Product(IEnumerable<int> extents)
    {
        var product = 1L;
        foreach (var extent in extents)
        {
            if (extent < 0 || (product *= extent) > Array.MaxLength)
            {
                return null; // before the next product could overflow
            }
        }

        return (int)product;
    }
}
