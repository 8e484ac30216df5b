using System.Text.Json;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Tests.Cli;

/// <summary><c>maestro sweep</c>, end to end on small families.</summary>
[TestClass]
public sealed class SweepTests
{
    static readonly byte[] PngSignature = [0x89, (byte)'P', (byte)'N', (byte)'G'];

    [TestMethod]
    public void Sweep_AFamilyNeverMeasured_MeasuresItKeepsTheProfileAndWritesFourFiles()
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder, "1,0.5,0.25");

        var report = CommandLine.Run("sweep", folder["family"], "--data", "digits", "--out", folder["out/report.html"], "--json").Succeeded().Json;

        Assert.AreEqual(folder["family"], report.GetProperty("family").GetString());
        var variants = report.GetProperty("variants").EnumerateArray().ToArray();
        Assert.HasCount(3, variants);
        Assert.IsTrue(variants.Append(report.GetProperty("dense")).All(variant => variant.GetProperty("accuracy").GetDouble() > 0.2 && variant.GetProperty("p50_us").GetDouble() > 0));
        Assert.IsTrue(variants.Zip(variants.Skip(1)).All(pair => pair.First.GetProperty("macs").GetInt64() >= pair.Second.GetProperty("macs").GetInt64()));
        Assert.HasCount(1, Directory.GetFiles(folder["family.profiles"]));
        CollectionAssert.AreEquivalent(new[] { "report.html", "report.png", "report.csv", "report.json" }, Directory.GetFiles(folder["out"]).Select(Path.GetFileName).ToArray());
        CollectionAssert.AreEqual(PngSignature, File.ReadAllBytes(folder["out/report.png"])[..4]);
        Assert.HasCount(1 + 1 + 3, File.ReadAllLines(folder["out/report.csv"]));
        Assert.AreEqual(report.GetRawText(), JsonDocument.Parse(File.ReadAllText(folder["out/report.json"])).RootElement.GetRawText());
        Assert.Contains("Accuracy is that of each exported graph in ONNX Runtime on 355 samples", File.ReadAllText(folder["out/report.html"]));
    }

    [TestMethod]
    public void Sweep_APageBelowAFamilysFolder_IsRefusedAndWritesNothing()
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);

        CommandLine.Run("sweep", folder["family"], "--out", folder["family/reports/report.html"]).FailedSaying("lies in a family's folder", exitCode: 2);

        Assert.IsFalse(Directory.Exists(folder["family/reports"]));
    }

    [TestMethod]
    public void Sweep_AProfileThatHolds_IsUsedAgainUnlessMeasureIsGiven()
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);
        CommandLine.Run("profile", folder["family"]).Succeeded();

        var first = Sweep(folder).Output;
        var second = Sweep(folder).Output;
        var third = Sweep(folder, "--measure").Output;

        Assert.AreEqual(first, second);
        Assert.AreNotEqual(first, third);
    }

    [TestMethod]
    public void Sweep_TwoFamiliesAndAnotherDevice_AreSeriesOfOneReport()
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);
        Directory.Move(folder["family"], folder["first"]);
        SmallFamily.In(folder, "1,0.5");
        CommandLine.Run("profile", folder["first"]).Succeeded();
        var here = ProfilesJson.Read<LatencyProfile>(Directory.GetFiles(folder["first.profiles"]).Single());
        ProfilesJson.Write(folder["phone.json"], here with { Device = here.Device with { Name = "phone", Cpu = "A phone" } });

        var report = CommandLine.Run("sweep", folder["first"], folder["family"], "--profile", folder["phone.json"], "--measure", "--out", folder["report.html"], "--json").Succeeded().Json;

        var cpus = report.GetProperty("families").EnumerateArray().Select(family => family.GetProperty("profile").GetProperty("device").GetProperty("cpu").GetString()).ToArray();
        CollectionAssert.AreEqual(new[] { here.Device.Cpu, "A phone", here.Device.Cpu }, cpus);
    }

    [TestMethod]
    public void Sweep_AProfileOfAnotherDeviceAlone_MeasuresNothingHere()
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);
        CommandLine.Run("profile", folder["family"], "--out", folder["elsewhere"]).Succeeded();

        Sweep(folder, "--profile", Directory.GetFiles(folder["elsewhere"]).Single());

        Assert.IsFalse(Directory.Exists(folder["family.profiles"]));
    }

    [TestMethod]
    [DataRow("report.txt", "name a page", 2)]
    [DataRow("family/family.html", "lies in a family's folder", 2)]
    public void Sweep_APlaceThatIsNoneForAPage_IsRefusedBeforeMeasuring(string place, string why, int exitCode)
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);
        var before = File.ReadAllBytes(folder["family/family.json"]);

        CommandLine.Run("sweep", folder["family"], "--out", folder[place]).FailedSaying(why, exitCode);

        CollectionAssert.AreEqual(before, File.ReadAllBytes(folder["family/family.json"]));
        Assert.IsFalse(Directory.Exists(folder["family.profiles"]));
    }

    [TestMethod]
    public void Sweep_AProfileOfAnotherFamily_IsNamed()
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);
        CommandLine.Run("profile", folder["family"], "--out", folder["old"]).Succeeded();
        var profile = Directory.GetFiles(folder["old"]).Single();
        SmallFamily.In(folder, "1,0.5");

        CommandLine.Run("sweep", folder["family"], "--profile", profile, "--out", folder["report.html"]).FailedSaying(profile);

        Assert.IsFalse(File.Exists(folder["report.html"]));
    }

    [TestMethod]
    public void ExportAndInspect_AFamily_TellBeforeAndAfterOnOneLine()
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);

        StringAssert.Matches(CommandLine.Run("inspect", folder["family"]).Succeeded().Output, new(@"dense → b25: [\d.]+ kB → [\d.]+ kB, [\d.]+ k → [\d.]+ k MACs, output error [\d.]+\n"));
        CommandLine.Run("profile", folder["family"]).Succeeded();
        StringAssert.Matches(CommandLine.Run("inspect", folder["family"]).Succeeded().Output, new(@"dense → b25: .* MACs, [\d.]+ µs → [\d.]+ µs, output error [\d.]+\n"));
        var exported = CommandLine.Run("export", folder["m.lod.onnx"], "--data", "digits", "--out", folder["family"], "--budgets", "1,0.25").Succeeded().Output;
        StringAssert.Matches(exported, new(@"dense → b25: .* MACs, accuracy [\d.]+ % → [\d.]+ %\n"));
    }

    static CommandResult Sweep(TemporaryFolder folder, params string[] more) =>
        CommandLine.Run(["sweep", folder["family"], "--out", folder["report.html"], "--json", .. more]).Succeeded();
}
