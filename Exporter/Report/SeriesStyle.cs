namespace MaestroDeploy.Exporter.Report;

/// <summary>How a series looks. Shape and colour both tell it, and every six series their pairing shifts.</summary>
/// <param name="Colour">Which colour: <c>--c0</c>… in the style sheet.</param>
/// <param name="Light">The colour on white.</param>
/// <param name="Dark">The colour on near-black.</param>
/// <param name="Shape">An SVG path around the origin, about 12 wide.</param>
sealed record SeriesStyle(int Colour, string Light, string Dark, string Shape)
{
    // After Okabe and Ito, Color Universal Design (2008), moved until each keeps 3:1 on its ground.
    static readonly (string Light, string Dark)[] Colours =
    [
        ("#0072b2", "#56b4e9"), ("#d55e00", "#ff9055"), ("#00806a", "#2cc9a0"), ("#b0528f", "#e79bc8"), ("#946600", "#f0c04a"), ("#4a4a4a", "#c8c8c8"),
    ];

    static readonly string[] Shapes =
    [
        "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0 -12 0z",
        "M-5.3 -5.3h10.6v10.6h-10.6z",
        "M0 -7.5L7.5 0L0 7.5L-7.5 0z",
        "M0 -7L7 5.2H-7z",
        "M0 7L7 -5.2H-7z",
        "M-2.4 -7h4.8v4.6h4.6v4.8h-4.6v4.6h-4.8v-4.6h-4.6v-4.8h4.6z",
    ];

    /// <summary>All colours: style sheets name each once.</summary>
    public static IReadOnlyList<(string Light, string Dark)> Palette => Colours;

    /// <summary>The look of the series of that number.</summary>
    /// <param name="series">From 0.</param>
    public static SeriesStyle Of(int series)
    {
        var colour = series % Colours.Length;
        return new SeriesStyle(colour, Colours[colour].Light, Colours[colour].Dark, Shapes[(series + (series / Colours.Length)) % Shapes.Length]);
    }
}
