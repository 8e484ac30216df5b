using System.Globalization;

namespace MaestroDeploy.Runtime;

/// <summary>Numbers with their units, as reasons and messages give them.</summary>
static class Amounts
{
    public static string Time(double microseconds) => microseconds < 1000
        ? string.Create(CultureInfo.InvariantCulture, $"{microseconds:0.#} µs")
        : string.Create(CultureInfo.InvariantCulture, $"{microseconds / 1000:0.###} ms");

    public static string Bytes(long bytes) => bytes < 100_000
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.###} kB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.###} MB");

    public static string Share(double share) => string.Create(CultureInfo.InvariantCulture, $"{share:0.####}");
}
