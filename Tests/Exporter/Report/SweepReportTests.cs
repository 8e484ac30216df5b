using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using MaestroDeploy.Exporter.Report;
using MaestroDeploy.Profiles;
using MaestroDeploy.Tests.Profiles;

namespace MaestroDeploy.Tests.Exporter.Report;

[TestClass]
public sealed partial class SweepReportTests
{
    const string Attack = "</title></script><script>alert('x')</script><img src=x onerror=alert(1)>\"'&\u0001{{script}}";

    static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [TestMethod]
    public void ToHtml_NamesThatHoldMarkup_AreTextEverywhere()
    {
        var variant = Samples.Variant("b<b>50", 500, 0.9) with { Plan = Samples.Plan((Attack, 8)), AccuracyData = Attack, AccuracySamples = 100 };
        var manifest = SweptFamilies.Manifest(Attack, [variant], layers: [Attack]);
        var profile = SweptFamilies.Profile(manifest, 100, cpu: Attack);
        var report = new SweepReport([new SweepSeries(Attack, manifest, profile), new SweepSeries("other", manifest, profile)]);

        var html = report.ToHtml();

        Assert.AreEqual(1, Regex.Count(html, "<script"));
        Assert.DoesNotContain("<img", html);
        Assert.DoesNotContain("<b>50", html);
        Assert.DoesNotContain("\u0001", html);
        Assert.Contains("&lt;script&gt;alert(", html);
        Assert.Contains("{{script}}", html); // a hole in a name is not filled
        _ = XDocument.Parse(report.ToSvg()!);
    }

    [TestMethod]
    public void ToHtml_AVariantThatWasChosenByItsAccuracy_SaysSoWhereAccuraciesAreExplained()
    {
        var variant = Samples.Variant("b40", 500, 0.9) with { AccuracyData = "digits/test", AccuracySamples = 355, AccuracyFloor = 0.895 };
        var manifest = SweptFamilies.Manifest("family", [variant]);

        var html = new SweepReport([new SweepSeries("family", manifest, SweptFamilies.Profile(manifest, 100))]).ToHtml();

        Assert.Contains("b40 was looked for as the cheapest to reach 89.5 %", html);
        Assert.DoesNotContain("was looked for", new SweepReport([SweptFamilies.Series()]).ToHtml());
    }

    [TestMethod]
    public void ToHtml_AnyReport_AsksForNothingElse()
    {
        var html = new SweepReport([SweptFamilies.Series()]).ToHtml();

        Assert.DoesNotContain("http://", html);
        Assert.DoesNotContain("https://", html);
        Assert.DoesNotMatchRegex(@"url\(|@import|<link rel=.stylesheet", html);
        Assert.Contains("default-src 'none'", html);
        Assert.DoesNotMatchRegex(@"\{\{\w+\}\}", html);
    }

    [TestMethod]
    public void ToHtml_AFamily_HasARowForEachVariantWithItsNumbers()
    {
        var series = SweptFamilies.Series(variants: 3);
        var html = new SweepReport([series]).ToHtml();

        var table = Between(html, "<table class=\"variants\">", "</table>");
        var rows = Rows().Matches(table).Select(match => Cells().Matches(match.Value).Select(cell => Tags().Replace(cell.Groups[1].Value, " ").Trim()).ToArray()).ToArray();

        string[] columns = ["variant", "budget", "parameters", "MACs", "bytes", "accuracy", "p50", "p90", "p95", "speed-up over\u00a0dense", "load", "first run", "frontier at p50"];
        CollectionAssert.AreEqual(columns, rows[0].Select(System.Net.WebUtility.HtmlDecode).ToArray());
        Assert.HasCount(1 + 1 + 3, rows);
        Assert.IsTrue(rows.All(row => row.Length == columns.Length));
        CollectionAssert.AreEqual(new[] { "dense", "b100", "b68.333", "b36.667" }, rows.Skip(1).Select(row => row[0]).ToArray());
        var smallest = series.Profile!.Variants[^1].Steady;
        StringAssert.StartsWith(System.Net.WebUtility.HtmlDecode(rows[^1][6]), Units.Microseconds(smallest.P50Us));
        Assert.AreEqual("98.00 %", rows[1][5]);
    }

    [TestMethod]
    public void ToHtml_RanksOfEveryLayerAndVariant_AreNumbersOrSaidToBeDense()
    {
        var html = new SweepReport([SweptFamilies.Series(variants: 4)]).ToHtml();

        var table = Between(html, "<table class=\"ranks\">", "</table>");

        Assert.AreEqual(3, Regex.Count(table, "<th scope=\"row\">"));
        Assert.AreEqual(1, Regex.Count(table, "class=\"kept-dense\">dense<"));
        Assert.AreEqual((3 * 4) - 1, Regex.Count(table, "class=\"heat"));
        Assert.Contains("48 <small>75 %</small>", table);
    }

    [TestMethod]
    public void ToSvg_AFamily_MarksWhatIsDominatedAndDrawsTheFrontier()
    {
        Variant[] variants =
        [
            Samples.Variant("slow", 900, 0.97), Samples.Variant("best", 500, 0.99), Samples.Variant("small", 100, 0.9),
        ];
        var manifest = SweptFamilies.Manifest("three", variants, accuracy: 0.98);

        var svg = XDocument.Parse(new SweepReport([new SweepSeries("three", manifest, SweptFamilies.Profile(manifest, 100))]).ToSvg()!);

        var points = svg.Descendants(Svg + "g").Where(group => HasClass(group, "point")).ToDictionary(
            point => ((string)point.Attribute("aria-label")!).Split(':')[0], point => HasClass(point, "dominated"));
        CollectionAssert.AreEquivalent(new Dictionary<string, bool> { ["dense"] = true, ["slow"] = true, ["best"] = false, ["small"] = false }, points);
        var line = svg.Descendants(Svg + "path").Single(path => HasClass(path, "frontier"));
        Assert.MatchesRegex(@"^M[\d.]+ [\d.]+H[\d.]+V[\d.]+H[\d.]+$", (string)line.Attribute("d")!);
        Assert.AreEqual(4, svg.Descendants(Svg + "path").Count(path => HasClass(path, "whisker")));
    }

    [TestMethod]
    public void ToSvg_FamiliesOfOneDevice_ShareAFrontierAndThoseOfAnotherDoNot()
    {
        var one = SweptFamilies.Series("one");
        var better = SweptFamilies.Series("better", accuracy: 0.99, slowestUs: 500);
        var elsewhere = SweptFamilies.Series("one", cpu: "Another CPU");

        Assert.AreEqual(1, Frontiers(one, better));
        Assert.AreEqual(2, Frontiers(one, elsewhere));
        Assert.AreEqual(2, Frontiers(one, Measured(better, how => how with { Spinning = false }, device => device)));
        Assert.AreEqual(2, Frontiers(one, Measured(better, how => how, device => device with { OnnxRuntime = "1.0.0" })));
        Assert.AreEqual(1, Frontiers(one, Measured(better, how => how with { Mode = "full", Rounds = 99, OpenAxis = 3 }, device => device with { MemoryBytes = 1 })));

        static SweepSeries Measured(SweepSeries series, Func<Measurement, Measurement> how, Func<DeviceFingerprint, DeviceFingerprint> device) => series with
        {
            Profile = series.Profile! with { Measurement = how(series.Profile.Measurement), Device = device(series.Profile.Device) },
        };

        static int Frontiers(params SweepSeries[] series) =>
            XDocument.Parse(new SweepReport(series).ToSvg()!).Descendants(Svg + "path").Count(path => HasClass(path, "frontier"));
    }

    [TestMethod]
    public void Labels_SeveralSeries_SayNoMoreThanTellsThemApart()
    {
        var here = SweptFamilies.Series("a");
        var there = here with { Profile = here.Profile! with { Device = Samples.Device() with { Cpu = "Another CPU" } } };
        var fewer = here with { Profile = here.Profile! with { Measurement = Samples.Measurement() with { Threads = 1 } } };

        CollectionAssert.AreEqual(new[] { "a" }, Labels(here));
        CollectionAssert.AreEqual(new[] { "a", "b" }, Labels(here, SweptFamilies.Series("b", cpu: "Another CPU")));
        CollectionAssert.AreEqual(new[] { "a, Some CPU", "a, Another CPU" }, Labels(here, there));
        CollectionAssert.AreEqual(new[] { "a, Some CPU", "b, Some CPU", "a, Another CPU" }, Labels(here, SweptFamilies.Series("b"), there));
        CollectionAssert.AreEqual(new[] { "a, 2 threads", "a, 1 threads" }, Labels(here, fewer));
        CollectionAssert.AreEqual(new[] { "a, out/a", "a, old/a" }, Labels(here, here with { Path = "old/a" }));
        CollectionAssert.AllItemsAreUnique(Labels(here, here, here));

        static string[] Labels(params SweepSeries[] series) => [.. new SweepReport(series).Labels];
    }

    [TestMethod]
    public void Measure_WhatWasMeasured_DecidesTheAxis()
    {
        Variant[] plain = [Samples.Variant("a", 900), Samples.Variant("b", 100)];
        Variant[] perplexing = [.. plain.Select((variant, i) => variant with { Perplexity = 5 + i })];

        Assert.Contains(">MACs</text>", Svg(plain));
        Assert.Contains(">perplexity, less is better</text>", Svg(perplexing));
        Assert.Contains(">accuracy</text>", Svg([.. perplexing.Select(variant => variant with { Accuracy = 0.5 })]));

        static string Svg(Variant[] variants)
        {
            var manifest = SweptFamilies.Manifest("family", variants, accuracy: null);
            return new SweepReport([new SweepSeries("family", manifest, SweptFamilies.Profile(manifest, 100))]).ToSvg()!;
        }
    }

    [TestMethod]
    public void ToHtml_NothingMeasured_IsStillATableAndSaysWhy()
    {
        var report = new SweepReport([SweptFamilies.Series(measured: false)]);

        Assert.IsNull(report.ToSvg());
        Assert.Contains("There is nothing to draw", report.ToHtml());
        Assert.Contains("id=\"row-0-5\"", report.ToHtml());
        Assert.DoesNotContain("<figure>\n\n", report.ToHtml());
    }

    [TestMethod]
    public void ToHtml_OneOfTwoFamiliesUnmeasured_IsNamedBesideThePicture()
    {
        var html = new SweepReport([SweptFamilies.Series("seen"), SweptFamilies.Series("unseen", measured: false)]).ToHtml();

        Assert.Contains("Not in the picture, for want of a latency or of accuracy: unseen.", html);
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(40)]
    public void ToHtml_FewOrManyVariants_DrawsThemAllAndOverlapsNoNames(int variants)
    {
        var report = new SweepReport([SweptFamilies.Series(new string('n', 200), variants)]);

        var svg = XDocument.Parse(report.ToSvg()!);

        Assert.AreEqual(variants + 1, svg.Descendants(Svg + "g").Count(group => HasClass(group, "point")));
        var names = svg.Descendants(Svg + "text").Where(text => HasClass(text, "name"))
            .Select(text => (X: (double)text.Attribute("x")!, Y: (double)text.Attribute("y")!, Width: LabelPlacement.Width(text.Value, 13))).ToArray();
        Assert.IsNotEmpty(names);
        Assert.IsFalse(names.Index().Any(one => names.Skip(one.Index + 1).Any(other =>
            Math.Abs(other.Y - one.Item.Y) < 13 && other.X < one.Item.X + one.Item.Width && one.Item.X < other.X + other.Width)));
        Assert.Contains($"id=\"row-0-{variants}\"", report.ToHtml());
    }

    [TestMethod]
    public void ToHtml_VaryingRuns_AreFlagged()
    {
        var series = SweptFamilies.Series();
        var profile = series.Profile!;
        var shaky = profile.Variants[1] with { Steady = profile.Variants[1].Steady with { CoefficientOfVariation = 0.3 } };

        var html = new SweepReport([series with { Profile = profile with { Variants = [profile.Variants[0], shaky, .. profile.Variants.Skip(2)] } }]).ToHtml();

        Assert.AreEqual(1, Regex.Count(html, "class=\"flag\">unstable<"));
        Assert.Contains($"runs of {shaky.Id} varied", html);
    }

    [TestMethod]
    public void ToCsv_NamesWithCommasQuotesAndFormulas_ComeBackWhole()
    {
        var manifest = SweptFamilies.Manifest("a, \"b\"\nc", [Samples.Variant("=1+1", 500, 0.9)]);

        var rows = ReadCsv(new SweepReport([new SweepSeries("out/x", manifest, SweptFamilies.Profile(manifest, 100))]).ToCsv());

        Assert.HasCount(3, rows);
        Assert.IsTrue(rows.All(row => row.Length == rows[0].Length));
        Assert.AreEqual("a, \"b\"\nc", rows[1][Array.IndexOf(rows[0], "series")]);
        Assert.AreEqual("'=1+1", rows[2][Array.IndexOf(rows[0], "id")]);
        Assert.AreEqual("100", rows[1][Array.IndexOf(rows[0], "p50_us")]);
        Assert.AreEqual("0.9", rows[2][Array.IndexOf(rows[0], "accuracy")]);
        Assert.AreEqual("", rows[2][Array.IndexOf(rows[0], "budget")]);
    }

    [TestMethod]
    public void ToRecord_OneFamilyOrSeveral_IsTheAgreedJson()
    {
        var one = Json(new SweepReport([SweptFamilies.Series()]));
        var several = Json(new SweepReport([SweptFamilies.Series("a"), SweptFamilies.Series("b", measured: false)])).GetProperty("families");

        Assert.AreEqual("out/lenet", one.GetProperty("family").GetString());
        Assert.AreEqual("dense", one.GetProperty("dense").GetProperty("id").GetString());
        Assert.AreEqual(5, one.GetProperty("variants").GetArrayLength());
        Assert.IsTrue(one.GetProperty("variants").EnumerateArray().All(variant => variant.GetProperty("p50_us").GetDouble() > 0));
        Assert.AreEqual("Some CPU", one.GetProperty("profile").GetProperty("device").GetProperty("cpu").GetString());
        Assert.AreEqual(2, several.GetArrayLength());
        Assert.IsFalse(several[1].TryGetProperty("profile", out _));

        static JsonElement Json(SweepReport report) => JsonDocument.Parse(ProfilesJson.ToText(report.ToRecord())).RootElement;
    }

    static bool HasClass(XElement element, string name) => ((string?)element.Attribute("class"))?.Split(' ').Contains(name) == true;

    static string Between(string text, string start, string end) => text.Split(start)[1].Split(end)[0];

    // RFC 4180, read by its rules: quoted cells may hold anything, a quote twice.
    static List<string[]> ReadCsv(string text)
    {
        var rows = new List<string[]>();
        for (var rest = text; rest.Length > 0;)
        {
            var cells = new List<string>();
            Match cell;
            do
            {
                cell = CsvCell().Match(rest);
                cells.Add(cell.Groups[1].Success ? cell.Groups[1].Value.Replace("\"\"", "\"") : cell.Groups[2].Value);
                rest = rest[cell.Length..];
            }
            while (cell.Groups[3].Value == ",");
            rows.Add([.. cells]);
        }

        return rows;
    }

    [GeneratedRegex("""\A(?:"((?:[^"]|"")*)"|([^,"\r\n]*))(,|\r\n)""")]
    private static partial Regex CsvCell();

    [GeneratedRegex("<tr.*?</tr>", RegexOptions.Singleline)]
    private static partial Regex Rows();

    [GeneratedRegex("<t[hd][^>]*>(.*?)</t[hd]>", RegexOptions.Singleline)]
    private static partial Regex Cells();

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tags();
}
