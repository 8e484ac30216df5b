using System.Text;
using MaestroDeploy.Exporter.Report;

namespace MaestroDeploy.Tests.Exporter.Report;

/// <summary>The page in a real browser, as a reader has it: at a phone's and a desk's width, with keys alone, and with its switches.</summary>
[TestClass]
public sealed class PageInBrowserTests
{
    const string FocusedRow = "document.activeElement?.dataset.row";
    const string Details = "document.querySelector('.details').textContent";
    const string Shown = "[...document.querySelectorAll('.point')].filter(point => point.getClientRects().length).length";

    static Browser? _browser;

    public TestContext TestContext { get; set; } = null!;

    static Browser Chromium => _browser ??= new Browser();

    [ClassCleanup]
    public static void Close() => _browser?.Dispose();

    [TestMethod]
    [DataRow("one", 360)]
    [DataRow("one", 1280)]
    [DataRow("three", 360)]
    [DataRow("three", 1280)]
    [DataRow("many", 360)]
    [DataRow("many", 1280)]
    [DataRow("unmeasured", 360)]
    public void Open_AnyWidth_ScrollsNotSidewaysAndHasNothingToComplainOf(string what, int width)
    {
        using var folder = new TemporaryFolder();
        foreach (var dark in new[] { false, true })
        {
            Chromium.Open(Page(folder, what), width, dark: dark);
            Keep(what, width, dark);

            Assert.AreEqual(width, (int)Chromium.Evaluate("document.documentElement.scrollWidth")!);
            Assert.IsEmpty(Chromium.Problems);
            Assert.AreEqual(what == "unmeasured" ? 0 : 1, (int)Chromium.Evaluate(
                $"[...document.querySelectorAll('.view svg.{(width < 600 ? "narrow" : "wide")}')].filter(svg => svg.getBoundingClientRect().width > 300).length")!);
        }
    }

    [TestMethod]
    public void Keys_TabArrowsEnterEscape_GoToPointsShowThemAndPinThem()
    {
        using var folder = new TemporaryFolder();
        Chromium.Open(Page(folder, "one"), 1280);

        for (var i = 0; i < 20 && Chromium.Evaluate(FocusedRow) is null; i++)
        {
            Chromium.Press("Tab");
        }

        var first = (string?)Chromium.Evaluate(FocusedRow);
        Assert.IsNotNull(first, "Tab must reach a point");
        Chromium.Press("ArrowLeft");
        Chromium.Press("ArrowRight");
        Chromium.Press("ArrowLeft");
        var second = (string?)Chromium.Evaluate(FocusedRow);
        Assert.AreNotEqual(first, second);
        Assert.Contains((string)Chromium.Evaluate($"document.querySelector('#{second} td:nth-of-type(6)').textContent")!, (string)Chromium.Evaluate(Details)!);

        Chromium.Press("Enter");
        _ = Chromium.Evaluate("document.activeElement.blur()");
        Assert.Contains("(pinned)", (string)Chromium.Evaluate(Details)!);
        Assert.AreEqual(second, (string?)Chromium.Evaluate("document.querySelector('.variants tr.pinned').id"));

        _ = Chromium.Evaluate($"[...document.querySelectorAll('.point[data-row=\"{second}\"]')].find(point => point.getClientRects().length).focus()");
        Chromium.Press("Escape");
        Assert.DoesNotContain("(pinned)", (string)Chromium.Evaluate(Details)!);
    }

    [TestMethod]
    public void Switches_PercentileScaleAndSeries_ChangeWhatIsShown()
    {
        using var folder = new TemporaryFolder();
        Chromium.Open(Page(folder, "three"), 1280);
        var all = (int)Chromium.Evaluate(Shown)!;

        _ = Chromium.Evaluate("document.getElementById('p95').click(), document.getElementById('linear').click()");
        Assert.AreEqual("Latency and accuracy, p95, linear", (string?)Chromium.Evaluate(
            "[...document.querySelectorAll('.view svg')].filter(svg => svg.getClientRects().length).map(svg => svg.getAttribute('aria-label')).join()"));
        Assert.AreEqual(all, (int)Chromium.Evaluate(Shown)!);

        _ = Chromium.Evaluate("document.getElementById('series-1').click()");
        Assert.IsLessThan(all, (int)Chromium.Evaluate(Shown)!);
        Assert.IsEmpty(Chromium.Problems);
    }

    // The screenshots are kept where they are asked for, to be looked at.
    static void Keep(string what, int width, bool dark)
    {
        if (Environment.GetEnvironmentVariable("MAESTRO_SCREENSHOTS") is { Length: > 0 } folder)
        {
            File.WriteAllBytes(Path.Combine(folder, $"{what}-{width}{(dark ? "-dark" : "")}.png"), Chromium.Screenshot());
        }
    }

    static string Page(TemporaryFolder folder, string what)
    {
        var one = SweptFamilies.Series();
        SweepReport report = new(what switch
        {
            "three" => [one, SweptFamilies.Series("resnet", 7, 0.99, 2400), SweptFamilies.Series(cpu: "A processor with quite a long name @ 3.00GHz", slowestUs: 5200)],
            "many" => [SweptFamilies.Series("a_family_whose_name_has_no_place_to_break_and_goes_on_for_very_long_indeed_and_longer", 40, slowestUs: 30_000)],
            "unmeasured" => [SweptFamilies.Series(measured: false)],
            _ => [one],
        });
        return folder.Write("report.html", Encoding.UTF8.GetBytes(report.ToHtml()));
    }
}
