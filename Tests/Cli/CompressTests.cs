using System.Text.Json;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Onnx;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Elastic;

namespace MaestroDeploy.Tests.Cli;

/// <summary>From a model that is there already to a family: <c>decompose</c> and <c>compress</c>.</summary>
[TestClass]
public sealed class CompressTests
{
    [TestMethod]
    public void Compress_ATrainedModelOnItsData_TellsWhatItKeepsAndLeavesNothingBeside()
    {
        using var folder = new TemporaryFolder();
        var dense = Dense(folder);

        var result = CommandLine.Run("compress", dense, "--data", "digits", "--out", folder["small"], "--budgets", "1,0.5,0.02", "--json").Succeeded().Json;

        var before = result.GetProperty("dense");
        var kept = result.GetProperty("variants").EnumerateArray().Single(variant => variant.GetProperty("id").GetString() == result.GetProperty("keeps").GetString());
        Assert.IsGreaterThanOrEqualTo(before.GetProperty("accuracy").GetDouble() - 0.01, kept.GetProperty("accuracy").GetDouble());
        Assert.IsLessThan(before.GetProperty("macs").GetInt64(), kept.GetProperty("macs").GetInt64());
        Assert.Contains("as good as before", result.GetProperty("verdict").GetString()!);
        CollectionAssert.AreEquivalent(new[] { "family", "m.lod.onnx", "small" }, Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName).ToArray());
    }

    [TestMethod]
    public void Compress_WithEpochs_AnswersBetterAtASmallBudgetAndIsHeldAgainstTheOriginal()
    {
        using var folder = new TemporaryFolder();
        var dense = Dense(folder);
        string[] compress = ["compress", dense, "--data", "digits", "--budgets", "0.12", "--json"];

        var cut = CommandLine.Run([.. compress, "--out", folder["cut"]]).Succeeded().Json;
        var tuned = CommandLine.Run([.. compress, "--epochs", "6", "--out", folder["tuned"]]).Succeeded().Json;

        Assert.IsGreaterThan(cut.GetProperty("variants")[0].GetProperty("accuracy").GetDouble() + 0.02, tuned.GetProperty("variants")[0].GetProperty("accuracy").GetDouble());
        Assert.AreEqual(cut.GetProperty("dense").GetProperty("accuracy").GetDouble(), tuned.GetProperty("dense").GetProperty("accuracy").GetDouble(), "the family's dense graph is the model that was brought");
        CommandLine.Run("compress", dense, "--epochs", "2", "--out", folder["blind"]).FailedSaying("--epochs", exitCode: 2);
    }

    [TestMethod]
    public void Compress_WithVariedImages_LearnsFromThem()
    {
        using var folder = new TemporaryFolder();
        string[] compress = ["compress", Dense(folder), "--data", "digits", "--budgets", "0.12", "--threads", "1", "--out"];

        CommandLine.Run([.. compress, folder["plain"], "--epochs", "2"]).Succeeded();
        CommandLine.Run([.. compress, folder["varied"], "--epochs", "2", "--crop", "1", "--flip"]).Succeeded();

        Assert.AreNotEqual(FileHash.Of(folder["plain/weights.bin"]).Sha256, FileHash.Of(folder["varied/weights.bin"]).Sha256);
        CommandLine.Run([.. compress, folder["no"], "--crop", "1"]).FailedSaying("--epochs", exitCode: 2);
        CommandLine.Run([.. compress, folder["no"], "--epochs", "2", "--learning-rate", "0"]).FailedSaying("--learning-rate is 0", exitCode: 2);
        Assert.IsFalse(Directory.Exists(folder["no"]));
    }

    [TestMethod]
    [DataRow("0")]
    [DataRow("1")]
    public void Compress_AboveAFloor_FindsTheCheapestPlanThatReachesIt(string epochs)
    {
        using var folder = new TemporaryFolder();
        var dense = Dense(folder);

        CommandLine.Run("compress", dense, "--data", "digits", "--epochs", epochs, "--budgets", "0.5", "--min-accuracy", "0.93", "--out", folder["small"]).Succeeded();

        var found = ProfilesJson.Read<FamilyManifest>(folder["small/family.json"]).Variants[^1];
        Assert.AreEqual(0.93, found.AccuracyFloor);
        Assert.IsGreaterThanOrEqualTo(0.93, found.Accuracy!.Value);
        Assert.IsLessThan(0.5, found.Budget!.Value);
    }

    [TestMethod]
    public void Compress_AModelOfFullRankWithoutData_SaysThatLittleIsToBeGained()
    {
        using var folder = new TemporaryFolder();
        BuiltInModels.Create("mlp", [1, 8, 8], 10, seed: 1).Save(folder["noise.onnx"]);

        var result = CommandLine.Run("compress", folder["noise.onnx"], "--out", folder["small"], "--budgets", "1,0.25").Succeeded();

        Assert.Contains("No budget is as good as before", result.Output);
        Assert.Contains("on random inputs", result.Output);
        Assert.Contains("PSNR", result.Output);
    }

    [TestMethod]
    public void Compress_ToBeKept_LeavesAModelThatCanBeExportedAgain()
    {
        using var folder = new TemporaryFolder();
        var dense = Dense(folder);

        CommandLine.Run("compress", dense, "--data", "digits", "--out", folder["small"], "--budgets", "0.5", "--keep", folder["kept.lod.onnx"]).Succeeded();
        var again = CommandLine.Run("export", folder["kept.lod.onnx"], "--data", "digits", "--out", folder["again"], "--budgets", "0.5", "--json").Succeeded().Json;

        Assert.AreEqual(1, again.GetProperty("variants").GetArrayLength());
    }

    [TestMethod]
    [DataRow("0")]
    [DataRow("2")]
    public void Compress_AClassifierThatGivesClasses_IsAsThatOfTheScores(string epochs)
    {
        using var folder = new TemporaryFolder();
        var scores = Dense(folder);
        ClassesOnly.Of(OnnxModel.Load(scores)).Save(folder["family/classes.onnx"]);
        string[] options = ["--data", "digits", "--budgets", "0.5,0.12", "--epochs", epochs, "--threads", "1", "--json", "--out"];

        var expected = CommandLine.Run(["compress", scores, .. options, folder["of-scores"]]).Succeeded().Json;
        var found = CommandLine.Run(["compress", folder["family/classes.onnx"], .. options, folder["of-classes"]]).Succeeded().Json;

        Assert.AreEqual(Accuracies(expected), Accuracies(found));
        var family = Family.Open(folder["of-classes"]);
        Assert.AreEqual("int64", family.Manifest.Outputs.Single().Type);
        var image = SmallModels.Digits.Test.Take(1).Batches(1).Single();
        using var session = ElasticSession.Open(family.Folder, options: new ElasticOptions { Settings = new SessionSettings { Threads = 1, Spinning = false } });
        using var buffers = session.CreateBuffers();
        image.Samples.CopyTo(buffers.Input<float>(session.Inputs[0].Signature.Name));
        session.Run(buffers);
        Assert.AreEqual(image.Labels[0], buffers.Output<long>("class")[0]);

        static string Accuracies(JsonElement report) =>
            string.Join(", ", report.GetProperty("variants").EnumerateArray().Select(variant => variant.GetProperty("accuracy").GetDouble()));
    }

    [TestMethod]
    public void Decompose_ByDataAndByWeights_TellsTheRanksOfEachLayer()
    {
        using var folder = new TemporaryFolder();
        var dense = Dense(folder);

        var aware = CommandLine.Run("decompose", dense, "--data", "digits", "--out", folder["a.lod.onnx"], "--json").Succeeded().Json;
        var plain = CommandLine.Run("decompose", dense, "--out", folder["b.lod.onnx"], "--skip-last", "1", "--json").Succeeded().Json;

        Assert.AreEqual("digits", aware.GetProperty("data").GetString());
        Assert.IsFalse(plain.TryGetProperty("data", out _));
        Assert.AreEqual(aware.GetProperty("layers").GetArrayLength() - 1, plain.GetProperty("layers").GetArrayLength());
        Assert.IsTrue(aware.GetProperty("layers").EnumerateArray().All(layer =>
            layer.GetProperty("energy_ranks").GetProperty("99 %").GetInt32() <= layer.GetProperty("rank").GetInt32()));
        Assert.IsLessThan(aware.GetProperty("params").GetInt64(), aware.GetProperty("energy_params").GetProperty("99 %").GetInt64());
    }

    [TestMethod]
    [DataRow("true", null)]
    [DataRow("false", "it was asked for")]
    public void Decompose_FollowingTheOutputsOrNot_TellsWhyAnswersCountAlike(string follow, string? alike)
    {
        using var folder = new TemporaryFolder();

        var report = CommandLine.Run("decompose", Dense(folder), "--data", "digits", "--follow-outputs", follow, "--out", folder["a.lod.onnx"], "--json").Succeeded().Json;

        Assert.AreEqual(alike, report.TryGetProperty("alike", out var why) ? why.GetString() : null);
    }

    [TestMethod]
    [DataRow("decompose", "--out")]
    [DataRow("compress", "--out", "cut", "--budgets", "0.5", "--keep")]
    public void Decompose_Centred_FactorsOtherwise(string command, params string[] options)
    {
        using var folder = new TemporaryFolder();
        var dense = Dense(folder);

        Assert.AreNotEqual(Factors(), Factors("--centred"));

        string Factors(params string[] more)
        {
            string[] paths = [.. options.Select(option => option == "cut" ? folder[option] : option), folder["a.lod.onnx"]];
            CommandLine.Run([command, dense, "--data", "digits", .. paths, .. more]).Succeeded();
            return FileHash.Sha256Of(folder["a.lod.onnx"]);
        }
    }

    [TestMethod]
    public void Decompose_WhatIsFactoredAlready_IsRefused()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);

        CommandLine.Run("decompose", folder["m.lod.onnx"], "--out", folder["again.lod.onnx"]).FailedSaying("factored already");
    }

    [TestMethod]
    [DataRow("--data and --inputs", "--data", "digits", "--inputs", "random")]
    [DataRow("--inputs is npz:FILE or random", "--inputs", "noise")]
    [DataRow("--calibration-samples is 1 and more", "--data", "digits", "--calibration-samples", "0")]
    [DataRow("--follow-outputs", "--follow-outputs", "false")]
    [DataRow("--centred", "--centred")]
    [DataRow("--skip-first", "--skip-first", "-1")]
    public void Decompose_OptionsThatMakeNoSense_AreRefused(string says, params string[] options)
    {
        using var folder = new TemporaryFolder();
        var dense = Dense(folder);

        CommandLine.Run(["decompose", dense, "--out", folder["d.lod.onnx"], .. options]).FailedSaying(says, exitCode: 2);

        Assert.IsFalse(File.Exists(folder["d.lod.onnx"]));
    }

    /// <summary>A trained model as someone else would bring it.</summary>
    static string Dense(TemporaryFolder folder)
    {
        SmallFamily.In(folder, "1");
        return folder["family/dense.onnx"];
    }
}
