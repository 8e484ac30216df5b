using System.Text.Json;
using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Tests.Cli;

[TestClass]
public sealed class PlanningTests
{
    [TestMethod]
    [DataRow("frontier")]
    [DataRow("nested")]
    [DataRow("greedy")]
    public void Export_ByASearch_KeepsEachBudgetAndAnswersAtLeastAsWellAsChance(string search)
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);

        var report = CommandLine.Run("export", folder["m.lod.onnx"], "--data", "digits", "--plan", search, "--budgets", "0.5,0.25", "--out", folder["family"], "--json").Succeeded().Json;

        var dense = report.GetProperty("dense").GetProperty("macs").GetInt64();
        var variants = report.GetProperty("variants").EnumerateArray().ToArray();
        Assert.HasCount(2, variants);
        Assert.IsTrue(variants.All(variant => variant.GetProperty("macs").GetInt64() <= variant.GetProperty("budget").GetDouble() * dense));
        Assert.IsTrue(variants.All(variant => variant.GetProperty("accuracy").GetDouble() > 0.5)); // chance is 0.1
        Assert.IsTrue(File.Exists(folder["m.lod.errors.json"]));
    }

    [TestMethod]
    public void Export_Twice_ProbesOnce()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);
        string[] export = ["export", folder["m.lod.onnx"], "--data", "digits", "--plan", "frontier", "--budgets", "0.5", "--out", folder["family"]];

        CommandLine.Run(export).Succeeded();
        var probed = File.GetLastWriteTimeUtc(folder["m.lod.errors.json"]);
        CommandLine.Run(export).Succeeded();
        var kept = File.GetLastWriteTimeUtc(folder["m.lod.errors.json"]);
        SmallModels.Convolutions.Save(folder["m.lod.onnx"]);
        CommandLine.Run(export).Succeeded();

        Assert.AreEqual(probed, kept);
        Assert.AreEqual(SmallModels.Convolutions.Pairs.Count, ProfilesJson.Read<ErrorTable>(folder["m.lod.errors.json"]).Layers.Count, "another model under that name is probed anew");
    }

    [TestMethod]
    [DataRow("frontier")]
    [DataRow("nested")]
    public void Export_ASmallBudgetOfWideLayers_IsKept(string search)
    {
        using var folder = new TemporaryFolder();
        SvdFactoring.Factor(BuiltInModels.Create("mlp", [1, 8, 8], 10, seed: 1, new ModelSize([512, 512])), new LodProvenance()).Save(folder["m.lod.onnx"]);

        var report = CommandLine.Run("export", folder["m.lod.onnx"], "--plan", search, "--budgets", "0.5,0.02", "--threads", "1", "--out", folder["family"], "--json").Succeeded();

        var smallest = report.Json.GetProperty("variants")[1];
        Assert.IsLessThanOrEqualTo(0.02 * report.Json.GetProperty("dense").GetProperty("macs").GetInt64(), smallest.GetProperty("macs").GetInt64());
        Assert.IsFalse(report.Error.Contains("over its budget", StringComparison.Ordinal));
    }

    [TestMethod]
    public void Export_TheSameSamplesScaledOtherwise_ProbesAnew()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);
        string[] export = ["export", folder["m.lod.onnx"], "--data", "digits", "--plan", "nested", "--budgets", "0.5", "--out", folder["family"]];

        CommandLine.Run(export).Succeeded();
        var first = ProfilesJson.Read<ErrorTable>(folder["m.lod.errors.json"]);
        CommandLine.Run([.. export, "--layout", "nchw", "--scale", "1"]).Succeeded();
        var second = ProfilesJson.Read<ErrorTable>(folder["m.lod.errors.json"]);

        Assert.AreEqual(first.Data, second.Data);
        Assert.AreNotEqual(first.DataSha256, second.DataSha256);
    }

    [TestMethod]
    public void Export_ByLatencyWithATableFromElsewhere_PlansForThatDevice()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);
        CommandLine.Run("profile", folder["m.lod.onnx"], "--threads", "1", "--json").Succeeded();
        var measured = ProfilesJson.Read<LayerLatencies>(Directory.GetFiles(folder["m.lod.layers"]).Single());
        // A device on which pairs of the second layer are dear whatever their rank, and those of the others cheap.
        ProfilesJson.Write(folder["edge.json"], measured with
        {
            FixedUs = 1,
            Layers = [.. measured.Layers.Select((layer, i) => new LayerLatency(layer.Layer, layer.Out, layer.In, 10, layer.Ranks, [.. layer.Ranks.Select(rank => i == 1 ? 11.0 : 0.1 * rank)]))],
        });

        var report = CommandLine.Run("export", folder["m.lod.onnx"], "--data", "digits", "--by", "latency", "--profile", folder["edge.json"], "--budgets", "15us", "--out", folder["family"], "--json")
            .Succeeded().Json;

        var tooFast = CommandLine.Run("export", folder["m.lod.onnx"], "--data", "digits", "--by", "latency", "--profile", folder["edge.json"], "--budgets", "1us", "--out", folder["dense"]).Succeeded();
        StringAssert.Contains(tooFast.Output, "no plan keeps them");
        Assert.IsTrue(ProfilesJson.Read<FamilyManifest>(Path.Combine(folder["dense"], FamilyManifest.FileName)).Variants.Single().Plan!.Layers.Values.All(rank => rank.IsDense));
        var plan = JsonSerializer.Deserialize<RankPlan>(report.GetProperty("variants")[0].GetProperty("plan"), ProfilesJson.Options)!;
        Assert.IsTrue(plan["fc2"].IsDense);
        Assert.IsLessThan(64, plan["fc1"].Components!.Value);
    }

    [TestMethod]
    public void TrainAndExport_PlansOfAFile_TrainsAndCutsThem()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);
        var planned = CommandLine.Run("export", folder["m.lod.onnx"], "--data", "digits", "--plan", "nested", "--budgets", "0.5,0.2", "--save-plans", folder["plans.json"], "--out", folder["family"], "--json")
            .Succeeded().Json;

        CommandLine.Run("train", folder["m.lod.onnx"], "--data", "digits", "--plans", folder["plans.json"], "--epochs", "1", "--out", folder["run"]).Succeeded();
        var cut = CommandLine.Run("export", folder["run/model.lod.onnx"], "--data", "digits", "--plans", folder["plans.json"], "--out", folder["trained"], "--json").Succeeded().Json;

        Assert.IsTrue(ProfilesJson.Read<PlanFile>(folder["plans.json"]).Nested);
        Assert.AreEqual($"{planned.GetProperty("variants")[1].GetProperty("plan")}", $"{cut.GetProperty("variants")[1].GetProperty("plan")}");
    }

    [TestMethod]
    public void TrainAndExport_CandidatesOfAFile_KeepsOneOfEachBudget()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);
        CommandLine.Run("export", folder["m.lod.onnx"], "--data", "digits", "--plan", "frontier", "--budgets", "0.5,0.2", "--save-candidates", folder["plans.json"], "--out", folder["family"]).Succeeded();

        CommandLine.Run("train", folder["m.lod.onnx"], "--data", "digits", "--recipe", "tune", "--plans", folder["plans.json"], "--epochs", "2", "--out", folder["run"]).Succeeded();
        var cut = CommandLine.Run("export", folder["run/model.lod.onnx"], "--data", "digits", "--plans", folder["run/plans.json"], "--out", folder["trained"], "--json").Succeeded().Json;

        var (tried, kept) = (ProfilesJson.Read<PlanFile>(folder["plans.json"]).Plans, ProfilesJson.Read<PlanFile>(folder["run/plans.json"]).Plans);
        CollectionAssert.AreEqual(new[] { 0.5, 0.2 }, kept.Select(plan => plan.Budget).ToArray());
        Assert.IsTrue(kept.All(tried.Contains));
        Assert.AreEqual(2, cut.GetProperty("variants").GetArrayLength());
        CommandLine.Run("export", folder["run/model.lod.onnx"], "--data", "digits", "--plans", folder["plans.json"], "--out", folder["no"]).FailedSaying("plans.json of the run");
        CommandLine.Run("export", folder["m.lod.onnx"], "--plans", folder["plans.json"], "--save-candidates", folder["c.json"], "--out", folder["no"]).FailedSaying("give one of them", exitCode: 2);
        CommandLine.Run("export", folder["m.lod.onnx"], "--save-candidates", folder["absent/c.json"], "--out", folder["no"]).FailedSaying("--save-candidates", exitCode: 2);
        CommandLine.Run("export", folder["m.lod.onnx"], "--save-plans", folder["absent/c.json"], "--out", folder["no"]).FailedSaying("--save-plans", exitCode: 2);
        Assert.IsFalse(Directory.Exists(folder["no"]));
    }

    [TestMethod]
    public void Export_PlansWhoseCostsAreNotInTheOrderOfTheirBudgets_GoesByTheirCosts()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);
        var sha = FileHash.Of(folder["m.lod.onnx"]).Sha256;
        ProfilesJson.Write(folder["plans.json"], new PlanFile(sha, "macs", [new(0.5, Plan(2)), new(0.25, Plan(8)), new(0.2, Plan(2))]));

        var variants = CommandLine.Run("export", folder["m.lod.onnx"], "--plans", folder["plans.json"], "--out", folder["family"], "--json").Succeeded().Json.GetProperty("variants");

        CollectionAssert.AreEqual(new[] { "b25", "b50" }, variants.EnumerateArray().Select(variant => variant.GetProperty("id").GetString()).ToArray());

        RankPlan Plan(int rank) => new(SmallModels.Mlp.Pairs.Select(pair => KeyValuePair.Create(pair.Layer, new LayerRank(rank))));
    }

    [TestMethod]
    [DataRow("nested")]
    [DataRow("uniform")]
    public void Export_IdentityBlocks_CostsLessThanPairsAtTheSameAnswers(string search)
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);
        CommandLine.Run("export", folder["m.lod.onnx"], "--data", "digits", "--plan", search, "--budgets", "0.5", "--save-plans", folder["plans.json"], "--identity-blocks", "--out", folder["blocks"], "--json").Succeeded();

        var blocks = Variant("blocks");
        var pairs = CommandLine.Run("export", folder["m.lod.onnx"], "--data", "digits", "--plans", folder["plans.json"], "--out", folder["pairs"], "--json").Succeeded().Json.GetProperty("variants")[0];

        Assert.IsGreaterThan(0, blocks.IdentityBlocks!.Count);
        Assert.IsLessThan(pairs.GetProperty("macs").GetInt64(), blocks.Macs);
        Assert.AreEqual(pairs.GetProperty("accuracy").GetDouble(), blocks.Accuracy);

        Variant Variant(string family) => ProfilesJson.Read<FamilyManifest>(Path.Combine(folder[family], FamilyManifest.FileName)).Variants[0];
    }

    [TestMethod]
    public void Export_VariantsAboveAFloor_SpreadsThemAndLeavesOutWhatFallsBelow()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);

        var all = CommandLine.Run("export", folder["m.lod.onnx"], "--data", "digits", "--variants", "6", "--out", folder["all"], "--json").Succeeded().Json.GetProperty("variants").EnumerateArray().ToArray();
        var floor = all[^1].GetProperty("accuracy").GetDouble() + 1e-6;
        var kept = CommandLine.Run("export", folder["m.lod.onnx"], "--data", "digits", "--variants", "6", "--min-accuracy", $"{floor}", "--out", folder["kept"], "--json").Succeeded().Json;

        Assert.IsGreaterThan(3, all.Length);
        Assert.IsLessThan(all.Length, kept.GetProperty("variants").GetArrayLength());
        Assert.IsTrue(kept.GetProperty("variants").EnumerateArray().All(variant => variant.GetProperty("accuracy").GetDouble() >= floor));
        CommandLine.Run("export", folder["m.lod.onnx"], "--data", "digits", "--min-accuracy", "1", "--out", folder["none"]).FailedSaying("No variant reaches an accuracy of 1");
        Assert.IsFalse(Directory.Exists(folder["none"]));
    }

    [TestMethod]
    [DataRow("uniform")]
    [DataRow("frontier")]
    [DataRow("nested")]
    public void Export_AboveAFloorAlone_AddsACheaperPlanThatReachesItToTheBudgetsThatDo(string search)
    {
        const double Floor = 0.9;
        using var folder = new TemporaryFolder();
        SmallModels.Convolutions.Save(folder["m.lod.onnx"]);
        string[] export = ["export", folder["m.lod.onnx"], "--data", "digits", "--plan", search, "--threads", "1"];

        CommandLine.Run([.. export, "--out", folder["all"]]).Succeeded();
        var told = CommandLine.Run([.. export, "--min-accuracy", "0.9", "--out", folder["kept"]]).Succeeded();

        var (all, kept) = (Variants(folder["all"]), Variants(folder["kept"]));
        var found = kept.Single(variant => variant.AccuracyFloor is not null);
        Assert.AreEqual(Floor, found.AccuracyFloor);
        Assert.IsTrue(kept.All(variant => variant.Accuracy >= Floor && variant.Macs >= found.Macs));
        CollectionAssert.AreEquivalent(all.Where(variant => variant.Accuracy >= Floor).Select(variant => variant.Id).Union([found.Id]).ToArray(), kept.Select(variant => variant.Id).ToArray());
        Assert.IsGreaterThan(all.Where(variant => variant.Accuracy < Floor).Max(variant => variant.Macs), found.Macs, "what is cheaper was seen to miss it");
        StringAssert.Contains(told.Error, "trying for an accuracy of 0.9");
        StringAssert.Contains(told.Output, $"{found.Id} is the cheapest plan found");
    }

    [TestMethod]
    public void Export_ConvolutionsByMacs_TellsWhereMacsAreNotTime()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Convolutions.Save(folder["m.lod.onnx"]);

        var cut = CommandLine.Run("export", folder["m.lod.onnx"], "--budgets", "0.25", "--out", folder["cut"]).Succeeded();
        var whole = CommandLine.Run("export", folder["m.lod.onnx"], "--budgets", "1", "--out", folder["whole"]).Succeeded();

        StringAssert.Contains(cut.Output, "b25: convolutions at ranks that fill no block");
        Assert.DoesNotContain("fill no block", whole.Output);
    }

    [TestMethod]
    public void Export_AboveAFloor_IsTheSameTwice()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);
        string[] export = ["export", folder["m.lod.onnx"], "--data", "digits", "--plan", "frontier", "--budgets", "0.5,0.1", "--min-accuracy", "0.93", "--threads", "1"];

        var told = CommandLine.Run([.. export, "--out", folder["first"], "--json"]).Succeeded().Json.GetProperty("variants").EnumerateArray().Last();
        CommandLine.Run([.. export, "--out", folder["second"]]).Succeeded();

        CollectionAssert.AreEqual(Variants(folder["first"]).Select(variant => (variant.Id, variant.Accuracy)).ToArray(), Variants(folder["second"]).Select(variant => (variant.Id, variant.Accuracy)).ToArray());
        Assert.AreEqual(0.93, told.GetProperty("accuracy_floor").GetDouble());
        CollectionAssert.AreEqual(File.ReadAllBytes(folder["first/weights.bin"]), File.ReadAllBytes(folder["second/weights.bin"]));
    }

    [TestMethod]
    public void Export_NoSearchNamed_ProbesLayersOnlyWhereThereIsDataAndTheModelWasNotTrainedToBeCut()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["trained.lod.onnx"]);
        new LodModel(SmallModels.Mlp.Model, SmallModels.Mlp.Pairs, SmallModels.Mlp.Provenance with { Recipe = LodProvenance.Svd }).Save(folder["decomposed.lod.onnx"]);

        Probes("trained", probes: false, "--data", "digits");
        Probes("decomposed", probes: false);
        Probes("decomposed", probes: true, "--data", "digits");

        void Probes(string model, bool probes, params string[] data)
        {
            CommandLine.Run(["export", folder[$"{model}.lod.onnx"], .. data, "--budgets", "0.5", "--out", folder["family"]]).Succeeded();
            Assert.AreEqual(probes, File.Exists(folder[$"{model}.lod.errors.json"]), model);
        }
    }

    static IReadOnlyList<Variant> Variants(string family) => ProfilesJson.Read<FamilyManifest>(Path.Combine(family, FamilyManifest.FileName)).Variants;

    [TestMethod]
    [DataRow("--budgets 0.5 --variants 3", "give one of them")]
    [DataRow("--variants 0", "found 0")]
    [DataRow("--profile FILE", "--by latency")]
    [DataRow("--by ranks --plan frontier", "--plan uniform")]
    [DataRow("--by macs --budgets 5", "share")]
    [DataRow("--budgets 5ms", "5ms")]
    [DataRow("--budgets 0.5,5ms --by latency", "5ms")]
    [DataRow("--plans FILE --budgets 0.5", "leave --budgets")]
    public void Export_OptionsThatContradict_IsWrongUsage(string options, string says)
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);

        CommandLine.Run(["export", folder["m.lod.onnx"], "--out", folder["family"], .. options.Replace("FILE", folder["m.lod.onnx"], StringComparison.Ordinal).Split(' ')]).FailedSaying(says, exitCode: 2);
    }

    [TestMethod]
    public void Export_FilesThatAreNotWhatTheyShouldBe_IsRefusedByTheirNames()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);
        SmallModels.Convolutions.Save(folder["other.lod.onnx"]);
        folder.Write("broken.json", "{");
        CommandLine.Run("profile", folder["other.lod.onnx"], "--threads", "1").Succeeded();
        var other = Directory.GetFiles(folder["other.lod.layers"]).Single();

        CommandLine.Run("export", folder["m.lod.onnx"], "--by", "latency", "--profile", folder["broken.json"], "--out", folder["f"]).FailedSaying("broken.json");
        CommandLine.Run("export", folder["m.lod.onnx"], "--by", "latency", "--profile", other, "--out", folder["f"]).FailedSaying("another network");
        CommandLine.Run("export", folder["m.lod.onnx"], "--plans", folder["broken.json"], "--out", folder["f"]).FailedSaying("broken.json");
    }
}
