using MaestroDeploy.Cli;

namespace MaestroDeploy.Tests.Cli;

/// <summary>What a command writes: never over what it reads, never into a family, and told before any work.</summary>
[TestClass]
public sealed class OutputPathTests
{
    [TestMethod]
    [DataRow("decompose dense.onnx --out dense.onnx", "dense.onnx: it is read too")]
    [DataRow("compress dense.onnx --out new --keep dense.onnx", "dense.onnx: it is read too")]
    [DataRow("compress dense.onnx --out new --keep new/kept.lod.onnx", "new/kept.lod.onnx: there is no folder")]
    [DataRow("compress dense.onnx --out empty --keep empty/kept.lod.onnx", "which holds nothing else")]
    [DataRow("compress dense.onnx --out new --keep family/kept.lod.onnx", "which is never changed")]
    [DataRow("compress dense.onnx --out family/inner", "which is never changed")]
    [DataRow("decompose dense.onnx --out empty", "empty: it is a folder")]
    [DataRow("export m.lod.onnx --out new --save-plans m.lod.onnx", "m.lod.onnx: it is read too")]
    [DataRow("export m.lod.onnx --out empty --save-plans empty/plans.json", "which holds nothing else")]
    [DataRow("export m.lod.onnx --out new --save-candidates m.lod.onnx", "m.lod.onnx: it is read too")]
    [DataRow("export m.lod.onnx --out family/inner", "which is never changed")]
    [DataRow("profile family --out family", "which is never changed")]
    [DataRow("train mlp --data digits --out family", "which is never changed")]
    [DataRow("sweep family --out family/report.html", "which is never changed")]
    [DataRow("sweep family --profile m.lod.json --out m.lod.html", "m.lod.json: it is read too")]
    [DataRow("run family --input x.npy --out x.npy", "x.npy: it is read too")]
    public void Run_AnOutputWhereSomethingWouldBeLost_IsRefusedBeforeAnyWork(string line, string why)
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);
        SmallModels.Mlp.Model.Save(folder["dense.onnx"]);
        File.WriteAllText(folder["m.lod.json"], "{}");
        Directory.CreateDirectory(folder["empty"]);
        var before = Files();

        CommandLine.Run([.. line.Split(' ').Select(word => IsPath(word) ? folder[word] : word)]).FailedSaying(why.Replace('/', Path.DirectorySeparatorChar), exitCode: 2);

        CollectionAssert.AreEqual(before, Files());

        static bool IsPath(string word) => word.Contains('.') || word.Split('/')[0] is "family" or "empty" or "new";
        (string, DateTime)[] Files() => [.. Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Order().Select(file => (file, File.GetLastWriteTimeUtc(file)))];
    }

    [TestMethod]
    public void Train_WhereARunHasEnded_IsRefusedAndTheRunStaysWhole()
    {
        using var folder = new TemporaryFolder();
        string[] train = ["train", "mlp", "--hidden", "8", "--data", "digits", "--epochs", "1", "--out", folder["run"]];
        CommandLine.Run(train).Succeeded();
        var metrics = File.ReadAllText(folder["run/metrics.jsonl"]);

        CommandLine.Run([.. train, "--seed", "2"]).FailedSaying("a run has ended here");

        Assert.AreEqual(metrics, File.ReadAllText(folder["run/metrics.jsonl"]));
    }

    /// <summary>Two equal builds give equal files, so that a profile of the one holds for the other.</summary>
    [TestMethod]
    public void GetUtcNow_SourceDateEpochIsSet_IsThatTime()
    {
        Environment.SetEnvironmentVariable("SOURCE_DATE_EPOCH", "1700000000");
        try
        {
            Assert.AreEqual(new DateTimeOffset(2023, 11, 14, 22, 13, 20, TimeSpan.Zero), new SourceDate().GetUtcNow());
        }
        finally
        {
            Environment.SetEnvironmentVariable("SOURCE_DATE_EPOCH", null);
        }
    }
}
