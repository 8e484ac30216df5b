using System.Globalization;

namespace MaestroDeploy.Exporter.Report;

/// <summary>One axis of a picture: which values it shows, at which coordinates, with ticks at round numbers.</summary>
sealed class ChartAxis
{
    const double Padding = 0.06; // of the span, so that no mark sits on the frame
    const double LeastShare = 1e-6; // of the value: in a shorter span all ticks would read the same

    static readonly int[] RoundDigits = [5, 2, 1];

    // Of a logarithmic axis, in every decade: the coarsest that gives enough is taken.
    static readonly double[][] Digits = [[1], [1, 2, 5], [1, 1.5, 2, 3, 5, 7]];

    readonly double _from, _to, _start, _end;

    ChartAxis(bool logarithmic, double from, double to, double start, double end, IReadOnlyList<double> ticks) =>
        (IsLogarithmic, _from, _to, _start, _end, Ticks) = (logarithmic, Scaled(logarithmic, from), Scaled(logarithmic, to), start, end, ticks);

    /// <summary>Whether equal factors, rather than equal differences, lie equally far apart.</summary>
    public bool IsLogarithmic { get; }

    /// <summary>Round values within the axis, ascending; at least two.</summary>
    public IReadOnlyList<double> Ticks { get; }

    /// <summary>How far the first two ticks lie apart.</summary>
    public double Step => Ticks[1] - Ticks[0];

    /// <summary>An axis of equal differences.</summary>
    /// <param name="values">What it must show; at least one, 0 and more.</param>
    /// <param name="start">The coordinate of its low end.</param>
    /// <param name="end">The coordinate of its high end; may be less than <paramref name="start"/>.</param>
    /// <param name="wanted">About how many ticks.</param>
    /// <param name="leastSpan">What it must span at least, so that small differences look small; 0 for as little as there is.</param>
    /// <param name="most">The largest value there can be; null where there is none.</param>
    public static ChartAxis Linear(IReadOnlyCollection<double> values, double start, double end, int wanted, double leastSpan = 0, double? most = null)
    {
        var (least, greatest) = (values.Min(), values.Max());
        var natural = greatest - least > LeastShare * greatest ? greatest - least : greatest > 0 ? 0.1 * greatest : 1;
        var span = Math.Max(natural, leastSpan);
        var padding = (Padding * span) + ((span - (greatest - least)) / 2);
        var (from, to) = (Math.Max(0, least - padding), greatest + padding);
        var ticks = LinearTicks(from, to, wanted);
        var possible = Array.FindAll(ticks, tick => !(tick > most));
        return new ChartAxis(false, from, to, start, end, possible.Length >= 2 ? possible : ticks);
    }

    /// <summary>An axis of equal factors.</summary>
    /// <param name="values">What it must show; at least one, all above 0.</param>
    /// <param name="start">The coordinate of its low end.</param>
    /// <param name="end">The coordinate of its high end; may be less than <paramref name="start"/>.</param>
    /// <param name="wanted">About how many ticks.</param>
    public static ChartAxis Logarithmic(IReadOnlyCollection<double> values, double start, double end, int wanted)
    {
        var (least, greatest) = (values.Min(), values.Max());
        var factor = Math.Pow(Math.Max(greatest / least, 1.5), Padding);
        var (from, to) = (least / factor, greatest * factor);
        return new ChartAxis(true, from, to, start, end, LogarithmicTicks(from, to, wanted));
    }

    /// <summary>The coordinate of a value.</summary>
    public double At(double value) => _start + ((_end - _start) * (Scaled(IsLogarithmic, value) - _from) / (_to - _from));

    static double Scaled(bool logarithmic, double value) => logarithmic ? Math.Log10(value) : value;

    /// <summary>Multiples of 1, 2 or 5 times a power of ten: as few as hold at least two, about as many as wanted.</summary>
    static double[] LinearTicks(double from, double to, int wanted)
    {
        var exponent = (int)Math.Ceiling(Math.Log10(to - from));
        var steps = Enumerable.Range(0, 6).SelectMany(down => RoundDigits.Select(digit => digit * Math.Pow(10, exponent - down)));
        return steps.Select(step => Multiples(from, to, step)).First(multiples => multiples.Length >= Math.Max(2, wanted - 2));
    }

    static double[] Multiples(double from, double to, double step)
    {
        var (first, last) = (Math.Ceiling((from / step) - 1e-9), Math.Floor((to / step) + 1e-9));
        return last - first > 100 ? [] : [.. Enumerable.Range(0, Math.Max(0, (int)(last - first) + 1)).Select(i => Rounded((first + i) * step))];
    }

    /// <summary>Powers of ten, with finer digits where those are too few; equal differences where those are, too.</summary>
    static double[] LogarithmicTicks(double from, double to, int wanted)
    {
        var first = (int)Math.Floor(Math.Log10(from));
        var decades = Enumerable.Range(first, (int)Math.Ceiling(Math.Log10(to)) - first).ToArray();
        var sets = Digits.Select(digits => decades.SelectMany(decade => digits.Select(digit => Rounded(digit * Math.Pow(10, decade))))
            .Where(tick => tick >= from && tick <= to).ToArray());
        return sets.FirstOrDefault(ticks => ticks.Length >= Math.Max(2, wanted - 2)) ?? LinearTicks(from, to, wanted);
    }

    // 3 · 0.1 is to read 0.3.
    static double Rounded(double value) => double.Parse(value.ToString("G12", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
