using System.Globalization;

namespace MaestroDeploy.Exporter.Report;

/// <summary>Round numbers as axes write them: no digit that says nothing, and a unit.</summary>
static class TickTexts
{
    /// <summary>Such as <c>20 µs</c>, <c>1.5 ms</c> or <c>2 s</c>.</summary>
    public static string Microseconds(double value) => Scaled(value, " µs", " ms", " s");

    /// <summary>Such as <c>500 k</c> or <c>2 M</c>.</summary>
    public static string Count(double value) => Scaled(value, "", " k", " M", " G");

    static string Scaled(double value, params ReadOnlySpan<string> units)
    {
        var unit = 0;
        while (value >= 1000 && unit < units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        return value.ToString("0.####", CultureInfo.InvariantCulture) + units[unit];
    }
}
