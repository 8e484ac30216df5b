using System.Text.Json;

namespace MaestroDeploy.Tests.Cli;

/// <summary>The lasso's weight for a footprint or an accuracy, from the command line.</summary>
[TestClass]
public sealed class SearchLassoTests
{
    static readonly string[] Digits = ["--data", "digits", "--hidden", "64,48", "--threads", "1"];

    [TestMethod]
    public void SearchLasso_ForAFootprint_ComesDownToTheLastWeightThatKeepsIt()
    {
        using var folder = new TemporaryFolder();

        var report = CommandLine.Run(["search-lasso", "mlp", .. Digits, "--epochs", "6", "--from", "0.256", "--target-macs", "0.5", "--out", folder["found"], "--json"]).Succeeded().Json;

        var tries = report.GetProperty("tries").EnumerateArray().ToArray();
        Assert.IsTrue(report.GetProperty("is_met").GetBoolean());
        Assert.IsTrue(tries[^2].GetProperty("macs_share").GetDouble() <= 0.5 && tries[^1].GetProperty("macs_share").GetDouble() > 0.5, "it stops at the first that exceeds the target");
        Assert.AreEqual(tries[^2].GetProperty("lasso").GetDouble(), report.GetProperty("lasso").GetDouble());
        Assert.IsTrue(tries[0].GetProperty("is_cut_short").GetBoolean(), "a large weight collapses, and is given up early");
        Assert.IsTrue(File.Exists(folder["found/search.json"]));
    }

    [TestMethod]
    public void SearchLasso_KilledAndResumed_LeavesTheFolderOfASearchThatWasNot()
    {
        using var folder = new TemporaryFolder();
        string[] command = ["search-lasso", "mlp", .. Digits, "--epochs", "12", "--tries", "3", "--target-accuracy", "1", "--from", "0.02", "--out"];
        CommandLine.Run([.. command, folder["whole"]]).Succeeded();

        CommandLine.Interrupt("try 2, epoch 5", [.. command, folder["run"]]).FailedSaying("Stopped");

        Assert.HasCount(1, Table("run"), "what a stopped search has tried is told");
        CommandLine.Run([.. command, folder["run"]]).FailedSaying("--resume");
        CommandLine.Run([.. command[..^2], "0.01", "--out", folder["run"], "--resume"]).FailedSaying("from 0.02 to --target-accuracy 1, and here");
        CommandLine.Run([.. command, folder["run"], "--resume", "--batch-size", "32"]).FailedSaying("batch-size is 64, and here 32");
        CommandLine.Run([.. command, folder["run"], "--resume"]).Succeeded();
        CollectionAssert.AreEqual(Table("whole"), Table("run"));
        CollectionAssert.AreEqual(Names("whole"), Names("run"));
        foreach (var file in Names("whole").Where(name => name!.EndsWith("model.lod.onnx", StringComparison.Ordinal)))
        {
            CollectionAssert.AreEqual(File.ReadAllBytes(folder[$"whole/{file}"]), File.ReadAllBytes(folder[$"run/{file}"]), file);
        }

        CollectionAssert.AreEqual(CommandLine.JsonLines(folder["whole/try-2/metrics.jsonl"], "loss"), CommandLine.JsonLines(folder["run/try-2/metrics.jsonl"], "loss"));
        CommandLine.Run([.. command, folder["run"], "--resume"]).FailedSaying("has ended");
        CommandLine.Run([.. command, folder["run"]]).FailedSaying("has ended");

        string[] Table(string search) =>
            [.. JsonDocument.Parse(File.ReadAllText(folder[$"{search}/search.json"])).RootElement.GetProperty("tries").EnumerateArray().Select(tried => tried.GetRawText())];

        string[] Names(string search) =>
            [.. Directory.GetFiles(folder[search], "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder[search], file)).Order(StringComparer.Ordinal)];
    }

    [TestMethod]
    public void SearchLasso_ForAnAccuracy_TakesTheFirstWeightThatReachesIt()
    {
        using var folder = new TemporaryFolder();

        var report = CommandLine.Run(["search-lasso", "mlp", .. Digits, "--epochs", "6", "--from", "0.032", "--target-accuracy", "0.9", "--out", folder["found"], "--json"]).Succeeded().Json;

        var tries = report.GetProperty("tries").EnumerateArray().Select(tried => tried.GetProperty("validation_accuracy").GetDouble()).ToArray();
        Assert.IsGreaterThanOrEqualTo(0.9, tries[^1]);
        Assert.IsTrue(tries[..^1].All(accuracy => accuracy < 0.9));
    }

    [TestMethod]
    public void SearchLasso_ATargetThatNoWeightMeets_GivesTheNearestAndSaysSo()
    {
        using var folder = new TemporaryFolder();

        var result = CommandLine.Run(["search-lasso", "mlp", .. Digits, "--epochs", "4", "--from", "1e-9", "--tries", "1", "--target-macs", "0.01", "--out", folder["found"]]).Succeeded();

        StringAssert.Contains(result.Output, "none tried meets the target");
    }
}
