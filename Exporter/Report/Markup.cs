using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using System.Xml;

namespace MaestroDeploy.Exporter.Report;

/// <summary>A piece of HTML or SVG. What an interpolated string puts into one is escaped, unless it is markup itself.</summary>
/// <remarks>Names come from files, and a file may hold anything: no caller can forget to escape them.</remarks>
readonly record struct Markup
{
    readonly string? _text;

    Markup(string text) => _text = text;

    /// <summary>Nothing.</summary>
    public static Markup None => default;

    /// <summary>A template whose holes are escaped.</summary>
    public static Markup Of(ref Builder template) => new(template.ToString());

    /// <summary>Text that is ours and is markup already.</summary>
    public static Markup Trusted(string text) => new(text);

    /// <summary>Pieces one after the other, a line each.</summary>
    public static Markup Lines(IEnumerable<Markup> pieces) => new(string.Join('\n', pieces));

    public override string ToString() => _text ?? "";

    /// <summary>Text without what would end it, in an element or an attribute, and without what no XML may hold.</summary>
    static string Escape(string text) =>
        WebUtility.HtmlEncode(string.Concat(text.Select((c, i) => IsLegal(text, i) ? c : '\uFFFD')));

    static bool IsLegal(string text, int at) =>
        char.IsHighSurrogate(text[at]) ? at + 1 < text.Length && char.IsLowSurrogate(text[at + 1])
        : char.IsLowSurrogate(text[at]) ? at > 0 && char.IsHighSurrogate(text[at - 1])
        : XmlConvert.IsXmlChar(text[at]);

    /// <summary>What the compiler makes of an interpolated string. Numbers are written as coordinates: two decimals at most.</summary>
    [InterpolatedStringHandler]
    public readonly ref struct Builder(int literalLength, int formattedCount)
    {
        readonly StringBuilder _text = new(literalLength + (16 * formattedCount));

        public void AppendLiteral(string literal) => _text.Append(literal);

        public void AppendFormatted(Markup markup) => _text.Append(markup);

        public void AppendFormatted(string? text) => _text.Append(Escape(text ?? ""));

        public void AppendFormatted(int number) => _text.Append(CultureInfo.InvariantCulture, $"{number}");

        public void AppendFormatted(double number) => _text.Append(CultureInfo.InvariantCulture, $"{number:0.##}");

        public override string ToString() => _text.ToString();
    }
}
