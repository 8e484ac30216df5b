using System.Globalization;

namespace MaestroDeploy.Profiles;

/// <summary>Numbers as people read them: three digits and a unit.</summary>
public static class Units
{
    /// <summary>Such as <c>1.12 M</c>.</summary>
    public static string Count(long count) => Scaled(count, "", " k", " M", " G");

    /// <summary>Such as <c>569 kB</c>: by the thousand.</summary>
    public static string Bytes(long bytes) => Scaled(bytes, " B", " kB", " MB", " GB");

    /// <summary>Such as <c>98.03 %</c>; a dash for null.</summary>
    public static string Share(double? share) => share is { } value ? (100 * value).ToString("0.00", CultureInfo.InvariantCulture) + " %" : "–";

    /// <summary>How many times, such as <c>1.8x</c>.</summary>
    public static string Ratio(double ratio) => ratio.ToString("0.0", CultureInfo.InvariantCulture) + "x";

    /// <summary>A relative error: to four places, and below a thousandth by its first two digits.</summary>
    public static string Error(double? error) => error is { } value ? value.ToString(value is 0 or >= 0.001 ? "0.####" : "0.0e0", CultureInfo.InvariantCulture) : "–";

    /// <summary>Such as <c>34.6 µs</c> or <c>1.50 ms</c>; a dash for null.</summary>
    public static string Microseconds(double? microseconds) => microseconds is { } value ? Scaled(value, " µs", " ms", " s") : "–";

    static string Scaled(double value, params string[] units)
    {
        var unit = 0;
        while (value >= 999.5 && unit < units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        var format = unit == 0 && value == Math.Floor(value) ? "0" : value >= 99.95 ? "0" : value >= 9.995 ? "0.0" : "0.00";
        return value.ToString(format, CultureInfo.InvariantCulture) + units[unit];
    }
}
