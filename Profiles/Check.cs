using System.Runtime.CompilerServices;

namespace MaestroDeploy.Profiles;

/// <summary>The rules that the records' members keep; each returns the value it was given, or throws with it in the message.</summary>
static class Check
{
    public static string Text(string value, [CallerMemberName] string member = "") =>
        string.IsNullOrWhiteSpace(value) ? throw Refused(member, "must not be empty", value) : value;

    public static string OneOf(string value, ReadOnlySpan<string> allowed, [CallerMemberName] string member = "") =>
        allowed.Contains(value) ? value : throw Refused(member, $"must be one of {string.Join(", ", allowed!)}", value);

    /// <summary>A name without any path: what is read from a file must not reach outside the folder it came from.</summary>
    public static string BareFileName(string value, [CallerMemberName] string member = "")
    {
        // Both separators and the drive's colon on every system: a family written on one is read on another.
        var bare = !string.IsNullOrWhiteSpace(value) && value is not ("." or "..")
            && value.AsSpan().IndexOfAny("/\\:") < 0 && !value.Any(char.IsControl);
        return bare ? value : throw Refused(member, "must be a bare file name, without any folder", value);
    }

    public static string Slug(string value, [CallerMemberName] string member = "") =>
        value.Length > 0 && value.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
            ? value
            : throw Refused(member, "must be lower-case letters, digits and hyphens", value);

    public static string Provider(string value, [CallerMemberName] string member = "") =>
        value == "cpu" || (value.StartsWith("cuda:", StringComparison.Ordinal) && value.Length > 5 && value[5..].All(char.IsAsciiDigit))
            ? value
            : throw Refused(member, "must be cpu or cuda:N", value);

    public static string Sha256(string value, [CallerMemberName] string member = "") =>
        value.Length == 64 && value.All(char.IsAsciiHexDigitLower)
            ? value
            : throw Refused(member, "must be 64 lower-case hexadecimal digits", value);

    public static int AtLeast(int least, int value, [CallerMemberName] string member = "") => (int)AtLeast((long)least, value, member);

    public static long AtLeast(long least, long value, [CallerMemberName] string member = "") =>
        value >= least ? value : throw Refused(member, $"must be {least} or more", value);

    public static double NotNegative(double value, [CallerMemberName] string member = "") =>
        value >= 0 && double.IsFinite(value) ? value : throw Refused(member, "must be a finite number, 0 or more", value);

    public static double? NotNegative(double? value, [CallerMemberName] string member = "") =>
        value is { } number ? NotNegative(number, member) : null;

    /// <summary>A share in [0, 1], such as an accuracy.</summary>
    public static double Share(double value, [CallerMemberName] string member = "") =>
        value is >= 0 and <= 1 ? value : throw Refused(member, "must lie in 0..1", value);

    public static double? Share(double? value, [CallerMemberName] string member = "") =>
        value is { } share ? Share(share, member) : null;

    /// <summary>A copy that nobody else can change; JSON may put nulls in a list whatever its type says.</summary>
    public static IReadOnlyList<T> List<T>(IReadOnlyList<T> items, [CallerMemberName] string member = "") =>
        items.Any(item => item is null) ? throw Refused(member, "must not hold null", "null") : [.. items];

    public static IReadOnlyList<T> Inhabited<T>(IReadOnlyList<T> items, [CallerMemberName] string member = "") =>
        items.Count > 0 ? List(items, member) : throw Refused(member, "must not be empty", "[]");

    /// <summary>A copy in which no two items share a key.</summary>
    public static IReadOnlyList<T> Distinct<T>(IReadOnlyList<T> items, Func<T, string> key, [CallerMemberName] string member = "")
    {
        var twice = List(items, member).GroupBy(key).FirstOrDefault(group => group.Count() > 1);
        return twice is null ? [.. items] : throw Refused(member, "must each come once", twice.Key);
    }

    /// <summary>A copy of ranks that rise, each 1 or more.</summary>
    public static IReadOnlyList<int> Ranks(IReadOnlyList<int> ranks, [CallerMemberName] string member = "") =>
        ranks.All(rank => rank >= 1) && ranks.Zip(ranks.Skip(1)).All(pair => pair.First < pair.Second)
            ? [.. ranks]
            : throw Refused(member, "must ascend from 1 or more", string.Join(", ", ranks));

    static ArgumentException Refused(string member, string rule, object? found) =>
        new(FormattableString.Invariant($"{member} {rule}; found '{found}'."));
}
