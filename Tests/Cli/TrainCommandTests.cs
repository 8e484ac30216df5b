using System.CommandLine;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text.Json;
using MaestroDeploy.Cli.Commands;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Data;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Tests.Data;

namespace MaestroDeploy.Tests.Cli;

/// <summary>Every way to train, from the command line.</summary>
[TestClass]
public sealed class TrainCommandTests
{
    static readonly string[] Digits = ["--data", "digits", "--hidden", "64,48", "--threads", "1"];
    static readonly string[] Short = [.. Digits, "--epochs", "4"];

    [TestMethod]
    public void Train_KilledAndResumed_WritesTheBytesOfARunThatWasNot()
    {
        using var folder = new TemporaryFolder();
        string[] command = ["train", "mlp", "--data", "digits", "--hidden", "48", "--epochs", "40", "--lasso", "0.002", "--threads", "1", "--out"];
        CommandLine.Run([.. command, folder["whole"]]).Succeeded();

        CommandLine.Interrupt("epoch 12", [.. command, folder["run"]]).FailedSaying("Stopped");
        CommandLine.Run([.. command, folder["run"]]).FailedSaying("--resume");
        CommandLine.Run([.. command, folder["run"], "--resume"]).Succeeded();

        CollectionAssert.AreEqual(File.ReadAllBytes(folder["whole/model.lod.onnx"]), File.ReadAllBytes(folder["run/model.lod.onnx"]));
        CollectionAssert.AreEqual(CommandLine.JsonLines(folder["whole/metrics.jsonl"], "loss"), CommandLine.JsonLines(folder["run/metrics.jsonl"], "loss"));
        CollectionAssert.AreEquivalent(new[] { "metrics.jsonl", "model.lod.onnx" }, Directory.GetFiles(folder["run"]).Select(Path.GetFileName).ToArray());
        CommandLine.Run([.. command, folder["run"], "--resume"]).FailedSaying("has ended");
    }

    [TestMethod]
    [DataRow("--recipe paper --learning-rate 0.05", DisplayName = "the paper's recipe")]
    [DataRow("--recipe dense", DisplayName = "dense, then SVD")]
    [DataRow("--recipe pufferfish", DisplayName = "a fixed quarter")]
    [DataRow("--sampling independent --full-pass false --soft-targets false", DisplayName = "independent ranks")]
    [DataRow("--optimizer adam-w --learning-rate 0.003 --schedule inverse-square-root --warm-up 0.1 --decay-all true --label-smoothing 0.1", DisplayName = "AdamW")]
    [DataRow("--lasso 0.001 --lasso-groups rows --lasso-step subgradient --schedule step --clip 5 --logarithmic 0.5", DisplayName = "the plain lasso")]
    [DataRow("--skip-last 1 --layers fc* --crop 1 --flip --validation 0", DisplayName = "some layers, varied images")]
    public void Train_ByEveryOption_GivesAModelThatAnswers(string options)
    {
        using var folder = new TemporaryFolder();

        var report = CommandLine.Run(["train", "mlp", .. Short, "--out", folder["run"], .. options.Split(' '), "--json"]).Succeeded().Json;

        Assert.IsGreaterThan(0.3, report.GetProperty("accuracy").GetDouble()); // chance is 0.1, and four epochs are few
        CommandLine.Run("export", folder["run/model.lod.onnx"], "--data", "digits", "--budgets", "1,0.5", "--out", folder["family"]).Succeeded();
    }

    [TestMethod]
    [DataRow("nested")]
    [DataRow("paper")]
    [DataRow("pufferfish")]
    [DataRow("dense")]
    [DataRow("tune")]
    public void Read_ARecipeAndNothingElse_IsThatRecipe(string recipe)
    {
        var flags = new TrainingFlags();
        var command = new Command("train");
        flags.AddTo(command);

        Assert.AreEqual(Recipes.Named(recipe), flags.Read(command.Parse(["--recipe", recipe])));
        Assert.AreEqual(Recipes.Named(recipe) with { FullPass = false, Seed = 3 }, flags.Read(command.Parse(["--recipe", recipe, "--seed", "3", "--full-pass", "false"])));
    }

    [TestMethod]
    public void Train_AnyRun_TellsRanksCostsAndImportanceOfEachEpoch()
    {
        using var folder = new TemporaryFolder();

        CommandLine.Run(["train", "mlp", .. Short, "--out", folder["run"]]).Succeeded();

        var last = JsonDocument.Parse(File.ReadAllLines(folder["run/metrics.jsonl"])[^1]).RootElement;
        Assert.AreEqual(64, last.GetProperty("ranks").GetProperty("fc1").GetInt32());
        Assert.AreEqual(64, last.GetProperty("importance").GetProperty("fc1").GetArrayLength());
        foreach (var name in new[] { "loss", "train_accuracy", "validation_loss", "validation_accuracy", "macs", "params", "training_macs", "seconds" })
        {
            Assert.IsGreaterThan(0, last.GetProperty(name).GetDouble(), name);
        }
    }

    [TestMethod]
    public void Train_AModelWithATableInADataFile_KeepsItInItsOwnFiles()
    {
        using var folder = new TemporaryFolder();
        var g = new GraphBuilder("table", seed: 1);
        var pixels = g.Node("Gather", [g.Flatten(g.Input("image", 1, 8, 8)), g.Constant([.. Enumerable.Range(0, 64).Select(i => 63L - i)])], node => node.With("axis", 1));
        var model = g.Build(g.Linear(g.Relu(g.Linear(pixels, "hidden", 32)), "logits", 10));
        var constant = model.Graph.Node.First(node => node.OpType == "Constant");
        var order = constant.Attribute[0].T;
        order.Name = constant.Output[0];
        model.Graph.Node.Remove(constant);
        File.WriteAllBytes(folder["order.data"], order.RawData.ToByteArray());
        new ExternalData("order.data", 0, 512).WriteTo(order);
        model.Graph.Initializer.Add(order);
        model.Save(folder["table.onnx"]);

        CommandLine.Run("train", folder["table.onnx"], "--data", "digits", "--epochs", "2", "--out", folder["run"]).Succeeded();

        CollectionAssert.AreEquivalent(new[] { "model.lod.onnx", "metrics.jsonl" }, Directory.GetFiles(folder["run"]).Select(Path.GetFileName).ToArray());
    }

    [TestMethod]
    [DataRow("--sampling", "single-layer")]
    [DataRow("--optimizer", "adam-w")]
    [DataRow("--schedule", "inverse-square-root")]
    public void Train_Help_NamesTheValuesThatAnOptionTakes(string option, string value)
    {
        var line = CommandLine.Run("train", "--help").Output.Split('\n').Single(line => line.TrimStart().StartsWith($"{option} ", StringComparison.Ordinal));

        Assert.Contains(value, line);
    }

    [TestMethod]
    public void Train_AFormatBesideInputsWithoutSamplesOfASet_IsRefused()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.onnx"]);
        NpzFile.Write(folder["some.npz"], ("image", new NpyBytes([2, 1, 8, 8], "float32", new byte[2 * 64 * 4])));
        string[] inputs = ["--inputs", $"npz:{folder["some.npz"]}", "--scale", "1/255", "--out", folder["out"]];

        CommandLine.Run(["train", folder["m.onnx"], "--teacher", folder["m.onnx"], .. inputs]).FailedSaying("there is no --data", exitCode: 2);
        CommandLine.Run(["compress", folder["m.onnx"], .. inputs]).FailedSaying("there is no --data", exitCode: 2);
    }

    [TestMethod]
    public void Train_TaughtByTheOriginal_AnswersLikeItWithoutLabels()
    {
        using var folder = new TemporaryFolder();
        CommandLine.Run(["train", "mlp", .. Digits, "--epochs", "12", "--out", folder["run"]]).Succeeded();
        var original = folder["run/model.lod.onnx"];
        folder.Write("inputs.npz", Bytes.Npz(("image.npy", CompressionLevel.Fastest, Images(256))));
        string[] tune = ["train", original, "--recipe", "tune", "--teacher", original, "--threads", "1"];

        var labelled = CommandLine.Run([.. tune, "--data", "digits", "--epochs", "1", "--out", folder["tuned"]]).Succeeded();
        var unlabelled = CommandLine.Run([.. tune, "--inputs", $"npz:{folder["inputs.npz"]}", "--epochs", "2", "--out", folder["blind"], "--json"]).Succeeded();

        Assert.Contains("the teacher is right on", labelled.Output);
        var accuracy = double.Parse(CommandLine.JsonLines(folder["tuned/metrics.jsonl"], "validation_accuracy")[0], CultureInfo.InvariantCulture);
        Assert.IsGreaterThan(0.8, accuracy); // of its teacher's 0.9 and more
        Assert.IsFalse(unlabelled.Json.TryGetProperty("accuracy", out _), "nothing tells what is right");
        Assert.HasCount(2, File.ReadAllLines(folder["blind/metrics.jsonl"]));
        CommandLine.Run([.. tune[..4], "--inputs", $"npz:{folder["inputs.npz"]}", "--out", folder["no"]]).FailedSaying("--teacher", exitCode: 2);
    }

    [TestMethod]
    public void Train_ATeacherThatGuesses_SaysThatTheSamplesMayBeFedWrongly()
    {
        using var folder = new TemporaryFolder();
        CommandLine.Run(["train", "mlp", .. Short, "--out", folder["run"]]).Succeeded();
        var model = folder["run/model.lod.onnx"];

        var told = CommandLine.Run("train", model, "--teacher", model, "--data", "digits", "--scale", "1/100000", "--recipe", "tune", "--epochs", "1", "--threads", "1", "--out", folder["tuned"]);

        Assert.Contains("near chance (10.00 %)", told.Error);
        Assert.Contains("--scale", told.Error);
    }

    [TestMethod]
    public void Train_ThePlansOfAFile_NeedsTheModelThatTheyWereMadeFor()
    {
        using var folder = new TemporaryFolder();
        CommandLine.Run(["train", "mlp", .. Short, "--out", folder["run"]]).Succeeded();
        var model = folder["run/model.lod.onnx"];
        BudgetedPlan[] plans = [Plan(0.5, 24), Plan(0.25, 8)];
        ProfilesJson.Write(folder["chain.json"], new PlanFile(FileHash.Of(model).Sha256, "macs", plans));
        ProfilesJson.Write(folder["other.json"], new PlanFile(new string('a', 64), "macs", plans));
        string[] train = ["train", model, "--data", "digits", "--recipe", "tune", "--epochs", "2", "--threads", "1", "--plans"];

        CommandLine.Run([.. train, folder["chain.json"], "--out", folder["tuned"]]).Succeeded();

        CommandLine.Run([.. train, folder["other.json"], "--out", folder["no"]]).FailedSaying("another model");
        CommandLine.Run([.. train, folder["chain.json"], "--lasso", "0.1", "--out", folder["no"]]).FailedSaying("--lasso", exitCode: 2);
        CommandLine.Run([.. train, folder["chain.json"], "--smallest-share", "0.1", "--out", folder["no"]]).FailedSaying("--smallest-share does nothing beside --plans", exitCode: 2);
        CommandLine.Run([.. train, folder["tuned/plans.json"], "--out", folder["tuned"]]).FailedSaying("name another folder", exitCode: 2);
        CommandLine.Run(["train", "absent.onnx", .. train[2..], folder["chain.json"], "--out", folder["no"]]).FailedSaying("there is no such file");
        ProfilesJson.Write(folder["foreign.json"], new PlanFile(FileHash.Of(model).Sha256, "macs", [new(0.5, new RankPlan([new("fc9", new LayerRank(2))]))]));
        CommandLine.Run([.. train, folder["foreign.json"], "--out", folder["no"]]).FailedSaying("layer 'fc9', which is not among the model's factored layers: fc1");

        static BudgetedPlan Plan(double budget, int rank) => new(budget, new RankPlan([new("fc1", new LayerRank(rank)), new("fc2", LayerRank.Dense)]));
    }

    [TestMethod]
    public void Train_AFormatOfAFile_IsWhatTheModelTells()
    {
        using var folder = new TemporaryFolder();
        folder.Write("format.json", "{\"schema_version\": 1, \"layout\": \"flat\", \"scale\": \"1/8\", \"mean\": [1]}");
        folder.Write("wrong.json", "{\"layuot\": \"flat\"}");
        string[] train = ["train", "mlp", .. Short, "--out"];

        CommandLine.Run([.. train, folder["run"], "--format", folder["format.json"], "--mean", "0.5"]).Succeeded();

        Assert.AreEqual("(pixels / 8 - mean) / std, channel by channel: mean 0.5000, std 1.0000, flat", LodModel.Load(folder["run/model.lod.onnx"]).Provenance.Scaling);
        CommandLine.Run([.. train, folder["no"], "--format", folder["wrong.json"]]).FailedSaying("layuot");
    }

    [TestMethod]
    [DataRow("--optimizer adam-w --momentum 0.5", "--momentum does nothing without --optimizer sgd")]
    [DataRow("--recipe paper --smallest-share 0.1", "--smallest-share does nothing without --sampling nested")]
    [DataRow("--sampling none --logarithmic 0.5", "--logarithmic does nothing without --sampling nested")]
    [DataRow("--label-weight 0.5", "--label-weight does nothing without --teacher")]
    [DataRow("--lasso-until 0.5", "--lasso-until does nothing without --lasso")]
    public void Train_AnOptionThatDoesNothing_IsRefusedWithWhatItNeeds(string options, string says) =>
        CommandLine.Run(["train", "mlp", "--data", "digits", "--out", "run", .. options.Split(' ')]).FailedSaying(says, exitCode: 2);

    [TestMethod]
    [DataRow("--dense-epochs 1")]
    [DataRow("--rank-share 0.5")]
    [DataRow("--skip-first 1")]
    [DataRow("--skip-last 1")]
    [DataRow("--layers fc1")]
    [DataRow("--recipe pufferfish")]
    [DataRow("--recipe dense")]
    public void Train_AModelOfFactors_RefusesWhatOnlyFactoringDoes(string options)
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);
        string[] rest = [folder["m.lod.onnx"], "--data", "digits", "--out", folder["run"], .. options.Split(' ')];

        var says = $"{(options.StartsWith("--recipe", StringComparison.Ordinal) ? options : options.Split(' ')[0])} says how a dense model";
        CommandLine.Run(["train", .. rest]).FailedSaying(says, exitCode: 2);
        CommandLine.Run(["search-lasso", .. rest, "--target-macs", "0.5"]).FailedSaying(options == "--recipe dense" ? "leaves none of the 10 epochs" : says, exitCode: 2);

        Assert.IsFalse(Directory.Exists(folder["run"]));
    }

    [TestMethod]
    public void Train_ALassoThatTakesEveryRank_TellsZeroAndStillExports()
    {
        using var folder = new TemporaryFolder();

        var report = CommandLine.Run(["train", "mlp", .. Short, "--lasso", "10", "--out", folder["run"], "--json"]).Succeeded().Json;
        var inspected = CommandLine.Run("inspect", folder["run/model.lod.onnx"], "--json").Succeeded().Json;
        var family = CommandLine.Run("export", folder["run/model.lod.onnx"], "--data", "digits", "--budgets", "1,0.5", "--out", folder["family"], "--json").Succeeded().Json;

        CollectionAssert.AreEqual(new[] { 0, 0, 0 }, report.GetProperty("ranks").EnumerateObject().Select(layer => layer.Value.GetInt32()).ToArray());
        CollectionAssert.AreEqual(new[] { 0, 0, 0 }, inspected.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("rank").GetInt32()).ToArray());
        foreach (var told in new[] { report, inspected })
        {
            Assert.AreEqual((64 + 48 + 10, 0), (told.GetProperty("params").GetInt64(), told.GetProperty("macs").GetInt64()), "biases are all that is left");
        }

        Assert.IsGreaterThan(0, family.GetProperty("variants").GetArrayLength());
    }

    [TestMethod]
    public void Export_ByRanks_KeepsThatShareOfEachLayer()
    {
        using var folder = new TemporaryFolder();
        CommandLine.Run(["train", "mlp", .. Short, "--out", folder["run"]]).Succeeded();

        var report = CommandLine.Run("export", folder["run/model.lod.onnx"], "--by", "ranks", "--budgets", "0.25", "--out", folder["family"], "--json").Succeeded().Json;

        var plan = report.GetProperty("variants")[0].GetProperty("plan");
        Assert.AreEqual((16, 12, 3), (plan.GetProperty("fc1").GetInt32(), plan.GetProperty("fc2").GetInt32(), plan.GetProperty("logits").GetInt32()));
    }

    [TestMethod]
    public void TrainExportTranslate_ATransformerOnMulti30k_WritesWords()
    {
        using var folder = new TemporaryFolder();
        var text = $"text:{FirstSentences(folder, 2500)}:de-en";

        // A few steps of a small one: enough to put frequent words in a likely order, not to translate.
        CommandLine.Run("train", "transformer", "--data", text, "--width", "64", "--depth", "1", "--epochs", "4", "--batch-size", "32", "--optimizer", "adam-w",
            "--learning-rate", "0.003", "--dense-epochs", "2", "--threads", "1", "--out", folder["run"]).Succeeded();
        var family = CommandLine.Run("export", folder["run/model.lod.onnx"], "--data", text, "--by", "ranks", "--budgets", "1,0.5", "--out", folder["family"], "--json").Succeeded().Json;
        var translated = CommandLine.Run("translate", folder["family"], "--text", "Ein Mann mit einem Hut.", "--variant", "b50", "--json").Succeeded().Json;

        var unigram = Unigram(ParallelText.Load(text));
        var perplexities = family.GetProperty("variants").EnumerateArray().Select(variant => variant.GetProperty("perplexity").GetDouble()).ToArray();
        Assert.IsTrue(perplexities[0] < unigram / 2 && perplexities[1] < unigram, $"{string.Join(", ", perplexities)}; one word at a time: {unigram}");
        Assert.AreEqual("Ein Mann mit einem Hut.", translated.GetProperty("translations")[0].GetProperty("source").GetString());
        Assert.AreNotEqual("", translated.GetProperty("translations")[0].GetProperty("target").GetString());
    }

    [TestMethod]
    [DataRow("train transformer --data digits --out OUT", "translates", DisplayName = "a translator on images")]
    [DataRow("train mlp --data text:nowhere:de-en --out OUT", "nowhere", DisplayName = "text that is not there")]
    [DataRow("train mlp --data digits --sampling often --out OUT", "single-layer", DisplayName = "a sampling that is not known")]
    [DataRow("train mlp --data digits --width 32 --out OUT", "A width is", DisplayName = "a width where there is none")]
    [DataRow("train mlp --data digits --crop 9 --out OUT", "crop", DisplayName = "a crop larger than the image")]
    [DataRow("train mlp --data digits --layers conv* --out OUT", "fc1", DisplayName = "layers that are not there")]
    [DataRow("train mlp --out OUT", "--inputs", DisplayName = "nothing to train on")]
    [DataRow("train mlp --data digits --sampling plans --out OUT", "there is nested, single-layer, independent, none", DisplayName = "plans that are not named")]
    [DataRow("train mlp --data digits --mean 0.5 --out OUT", "--scale", DisplayName = "a mean without a scale")]
    [DataRow("train mlp --data digits --scale 1/0 --out OUT", "1/255", DisplayName = "a scale that is no number")]
    [DataRow("search-lasso mlp --data digits --out OUT", "one target", DisplayName = "a search for nothing")]
    [DataRow("search-lasso mlp --data digits --recipe dense --target-macs 0.5 --out OUT", "leaves none of the 10 epochs", DisplayName = "a search without factors")]
    [DataRow("translate OUT --text a", "no such file", DisplayName = "a translator that is not there")]
    public void Train_WrongOptions_AreRefusedInOneLine(string command, string says)
    {
        using var folder = new TemporaryFolder();

        var result = CommandLine.Run([.. command.Split(' ').Select(word => word == "OUT" ? folder["out"] : word)]);

        Assert.IsInRange(1, 2, result.ExitCode);
        result.FailedSaying(says, result.ExitCode);
        Assert.IsFalse(File.Exists(folder["out/model.lod.onnx"]));
    }

    /// <summary>Perplexity on the test split of the model that knows how often each word comes, and nothing else.</summary>
    static double Unigram(ParallelText text)
    {
        var counts = new double[text.Vocabulary.Count];
        Array.Fill(counts, 1); // so that no word is impossible
        for (var i = 0; i < text.Train.Count; i++)
        {
            foreach (var word in text.Train.Target(i)[1..])
            {
                counts[word]++;
            }
        }

        var (loss, words, all) = (0.0, 0, counts.Sum());
        for (var i = 0; i < text.Test.Count; i++)
        {
            foreach (var word in text.Test.Target(i)[1..])
            {
                loss -= Math.Log(counts[word] / all);
                words++;
            }
        }

        return Math.Exp(loss / words);
    }

    static string FirstSentences(TemporaryFolder folder, int count)
    {
        foreach (var file in Directory.GetFiles(SharedFolder.Require("data/multi30k")))
        {
            using var zipped = new GZipStream(File.OpenRead(file), CompressionMode.Decompress);
            using var reader = new StreamReader(zipped);
            folder.Write($"text/{Path.GetFileNameWithoutExtension(file)}", string.Join('\n', reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Take(count)));
        }

        return folder["text"];
    }

    static byte[] Images(int count)
    {
        var values = new float[count * 64];
        DataSets.Load("digits").Train.CopySamples([.. Enumerable.Range(0, count)], values);
        return Bytes.Npy("<f4", $"({count}, 1, 8, 8)", MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
    }
}
