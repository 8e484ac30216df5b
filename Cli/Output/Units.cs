using System.Globalization;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Cli.Output;

/// <summary>Numbers as people read them: three digits and a unit.</summary>
static class Units
{
    public static string Count(long count) => Scaled(count, "", " k", " M", " G");

    public static string Bytes(long bytes) => Scaled(bytes, " B", " kB", " MB", " GB");

    public static string Share(double? share) => share is { } value ? (100 * value).ToString("0.00", CultureInfo.InvariantCulture) + " %" : "–";

    /// <summary>A relative error, which may lie anywhere below 1, by two digits.</summary>
    public static string Error(double? error) => error is { } value ? value.ToString(value is 0 or >= 0.001 ? "0.####" : "0.0e0", CultureInfo.InvariantCulture) : "–";

    /// <summary>How good a variant is by what is known: its accuracy, or else its outputs' distance from the dense model's.</summary>
    public static string Quality(double? accuracy, OutputDistance? distance) => accuracy is null && distance is not null
        ? $"output error {Error(distance.RelativeError)}"
        : $"accuracy {Share(accuracy)}";

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
