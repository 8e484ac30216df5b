using Google.Protobuf;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Data;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Tests.Cli;

/// <summary>Bad input: one clear line, exit 1 (wrong usage: 2), and nothing half-written.</summary>
[TestClass]
public sealed class BadInputTests
{
    [TestMethod]
    [DataRow("inspect")]
    [DataRow("export")]
    public void AModelCutShort_IsRefused(string verb)
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);
        var bytes = File.ReadAllBytes(folder["m.lod.onnx"]);
        folder.Write("cut.lod.onnx", bytes[..(bytes.Length / 2)]);

        Run(verb, folder, "cut.lod.onnx").FailedSaying("cut.lod.onnx");

        Assert.IsFalse(Directory.Exists(folder["out"]));
    }

    [TestMethod]
    [DataRow("train mlp --data digits --learning-rate 0,01 --out OUT", "--learning-rate: A number is written as 0.01")]
    [DataRow("train mlp --data digits --lasso 0,005 --out OUT", "found '0,005'")]
    [DataRow("compress m.onnx --data digits --epochs 1 --learning-rate 0,01 --out OUT", "found '0,01'")]
    [DataRow("search-lasso mlp --data digits --target-macs 0,5 --out OUT", "found '0,5'")]
    [DataRow("train mlp --data digits --out ", "What follows '--out' is empty")]
    [DataRow("profile ", "What follows 'profile' is empty")]
    [DataRow("decompose m.onnx --calibration-samples 7 --out OUT", "--calibration-samples is of what the model is run on")]
    [DataRow("decompose m.onnx --inputs random --data-dir here --out OUT", "--inputs needs none")]
    [DataRow("export m.lod.onnx --budgets 0.5 --batch 0 --out OUT", "--batch is of the latencies")]
    public void AnOptionThatWouldBeTakenForAnother_IsWrongUsage(string line, string why)
    {
        using var folder = new TemporaryFolder();

        CommandLine.Run(line.Replace("OUT", folder["out"], StringComparison.Ordinal).Split(' ')).FailedSaying(why, exitCode: 2);

        Assert.IsFalse(Directory.Exists(folder["out"]));
    }

    /// <summary>A checkpoint of a run's dense start is a model.lod.onnx without pairs.</summary>
    [TestMethod]
    public void AModelOfWhichNothingIsFactoredYet_IsRefused()
    {
        using var folder = new TemporaryFolder();
        new LodModel(BuiltInModels.Create("mlp", [1, 8, 8], 10, seed: 1), [], new LodProvenance()).Save(folder["checkpoint.onnx"]);

        Run("export", folder, "checkpoint.onnx").FailedSaying("no layer of it is factored yet");
    }

    [TestMethod]
    [DataRow("npz", "z is [4, 0], which holds no numbers")]
    [DataRow("random", "holds no numbers to draw")]
    public void AnInputOfNoNumbers_IsRefused(string inputs, string why)
    {
        using var folder = new TemporaryFolder();
        var g = new GraphBuilder("empty", seed: 1);
        var joined = g.Node("Concat", [g.Input("x", 16), g.Input("z", 0)], node => node.With("axis", 1));
        g.Build(g.Linear(new Value(joined.Name, [1, 16]), "fc", 4)).Save(folder["m.onnx"]);
        NpzFile.Write(folder["i.npz"], ("x", new NpyBytes([4, 16], "float32", new byte[256])), ("z", new NpyBytes([4, 0], "float32", [])));

        CommandLine.Run("compress", folder["m.onnx"], "--inputs", inputs == "npz" ? $"npz:{folder["i.npz"]}" : inputs, "--out", folder["out"]).FailedSaying(why);
    }

    [TestMethod]
    public void AnInputThatIsNoNumber_IsRefusedByItsPlace()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Model.Save(folder["m.onnx"]);
        var values = new float[2 * 64];
        values[70] = float.NaN;
        NpzFile.Write(folder["i.npz"], ("image", new NpyBytes([2, 1, 8, 8], "float32", System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values).ToArray())));

        CommandLine.Run("compress", folder["m.onnx"], "--inputs", $"npz:{folder["i.npz"]}", "--out", folder["out"]).FailedSaying("number 70 of image is NaN");
    }

    [TestMethod]
    public void AModelWithAnyBitFlipped_IsRefused()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);
        var bytes = File.ReadAllBytes(folder["m.lod.onnx"]);
        var random = new Random(3);
        for (var i = 0; i < 40; i++)
        {
            var at = random.Next(bytes.Length);
            bytes[at] ^= (byte)(1 << (i % 8));
            folder.Write("flipped.lod.onnx", bytes);
            bytes[at] ^= (byte)(1 << (i % 8));

            var result = Run("inspect", folder, "flipped.lod.onnx");

            result.FailedSaying("flipped.lod.onnx");
        }
    }

    [TestMethod]
    [DataRow("family.json", "\"accuracy", "\"accuracy", "", DisplayName = "nothing changed: it opens")]
    [DataRow("family.json", "\"sha256\": \"", "\"sha256\": \"0000", "64", DisplayName = "a hash that is none")]
    [DataRow("family.json", "\"schema_version\": 1", "\"schema_version\": 2", "schema version 2", DisplayName = "a newer schema")]
    [DataRow("family.json", "\"file\": \"weights.bin\"", "\"file\": \"../weights.bin\"", "../weights.bin", DisplayName = "a file outside the folder")]
    [DataRow("family.json", "{", "", "family.json", DisplayName = "not JSON")]
    public void AManifestThatWasChanged_IsRefused(string file, string old, string changed, string why)
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);
        var text = File.ReadAllText(folder[$"family/{file}"]);
        var at = text.IndexOf(old, StringComparison.Ordinal);
        if (at >= 0)
        {
            File.WriteAllText(folder[$"family/{file}"], text[..at] + changed + text[(at + old.Length)..]);
        }

        var result = CommandLine.Run("profile", folder["family"]);

        if (why.Length == 0)
        {
            result.Succeeded();
        }
        else
        {
            result.FailedSaying(why);
        }
    }

    [TestMethod]
    public void AFamilyWithAFlippedBit_NamesTheFileAndBothHashes()
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);
        var bytes = File.ReadAllBytes(folder["family/weights.bin"]);
        bytes[1000] ^= 1;
        folder.Write("family/weights.bin", bytes);

        CommandLine.Run("inspect", folder["family"]).FailedSaying("weights.bin: Its SHA-256 should be");
    }

    [TestMethod]
    public void AFamilyWithoutAFile_NamesIt()
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);
        File.Delete(folder["family/b25.onnx"]);

        CommandLine.Run("profile", folder["family"]).FailedSaying("b25.onnx");
    }

    [TestMethod]
    public void AModelWhoseDataLiesOutside_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var model = SmallModels.Mlp.Model.Clone();
        new ExternalData("../secret.bin", 0, ElementTypes.Bytes(model.Graph.Initializer[0])).WriteTo(model.Graph.Initializer[0]);
        folder.Write("escaping.onnx", model.Proto.ToByteArray());

        Run("inspect", folder, "escaping.onnx").FailedSaying("not a plain path inside the model's folder");
    }

    [TestMethod]
    public void AnIdxFileCutShort_IsRefusedAndNothingIsWritten()
    {
        using var folder = new TemporaryFolder();
        foreach (var name in new[] { "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte" })
        {
            folder.Write($"data/mnist/{name}", [0, 0, 8, 3, 0, 0, 0, 60, 0, 0, 0, 28, 0, 0, 0, 28, 1, 2, 3]);
        }

        CommandLine.Run("train", "lenet", "--data", "mnist", "--data-dir", folder["data"], "--out", folder["out"]).FailedSaying("idx3-ubyte");

        Assert.IsFalse(Directory.Exists(folder["out"]));
    }

    [TestMethod]
    public void AnInputOfAnotherShapeOrType_IsRefusedNamingBoth()
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);
        CommandLine.Run("profile", folder["family"]).Succeeded();
        NpyFile.Write(folder["wide.npy"], [1, 9, 9], new float[81]);
        folder.Write("bytes.npy", [0x93, .. "NUMPY"u8, 1, 0, 0x36, 0, .. "{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}"u8[..53], (byte)'\n', 1, 2]);

        CommandLine.Run("run", folder["family"], "--input", folder["wide.npy"]).FailedSaying("[1, 9, 9]");
        CommandLine.Run("run", folder["family"], "--input", folder["bytes.npy"]).FailedSaying("bytes.npy");
        CommandLine.Run("run", folder["family"], "--input", folder["absent.npy"]).FailedSaying("absent.npy");
    }

    [TestMethod]
    [DataRow("train mlp --data digits --out OUT --bogus 1", "--bogus", DisplayName = "an unknown option")]
    [DataRow("train mlp --data digits", "--out", DisplayName = "a required option left out")]
    [DataRow("train mlp --data digits --out OUT --epochs 0", "--epochs is 0", DisplayName = "a value out of range")]
    [DataRow("train mlp --data digits --out OUT --epochs many", "--epochs", DisplayName = "a word for a number")]
    [DataRow("train nonesuch --data digits --out OUT", "no built-in model 'nonesuch'", DisplayName = "an unknown model")]
    [DataRow("train mlp --data nonesuch --out OUT", "'nonesuch'", DisplayName = "an unknown data set")]
    [DataRow("train lenet --data digits --out OUT", "16x16", DisplayName = "a model that the data does not fit")]
    [DataRow("export m.lod.onnx --out OUT --budgets 1,2", "share in (0, 1]", DisplayName = "a budget above 1")]
    [DataRow("select family --max-latency 5", "found '5'", DisplayName = "a latency without a unit")]
    [DataRow("train mlp --data digits --out OUT --plans a.json", "--plans: there is no file 'a.json'. Wanted: A file of plans", DisplayName = "plans to train that are not there")]
    [DataRow("train mlp --data digits --out OUT --teacher a.onnx", "--teacher: there is no file 'a.onnx'", DisplayName = "a teacher that is not there")]
    [DataRow("train mlp --data digits --out OUT --format a.json", "--format: there is no file 'a.json'", DisplayName = "a format that is not there")]
    [DataRow("export m.lod.onnx --out OUT --plans a.json", "--plans: there is no file 'a.json'", DisplayName = "plans to cut to that are not there")]
    [DataRow("export m.lod.onnx --out OUT --by latency --profile a.json", "--profile: there is no file 'a.json'", DisplayName = "layer latencies that are not there")]
    [DataRow("select family --profile a.json", "--profile: there is no file 'a.json'", DisplayName = "a profile that is not there")]
    [DataRow("sweep family --out OUT/page.html --profile a.json", "--profile: there is no file 'a.json'", DisplayName = "profiles that are not there")]
    [DataRow("profile family --device gpu", "'gpu'", DisplayName = "an unknown device")]
    [DataRow("frobnicate", "frobnicate", DisplayName = "an unknown verb")]
    public void WrongUsage_IsToldInOneLineAndExits2(string line, string why)
    {
        using var folder = new TemporaryFolder();

        CommandLine.Run(line.Replace("OUT", folder["out"], StringComparison.Ordinal).Split(' ')).FailedSaying(why, exitCode: 2);

        Assert.IsFalse(Directory.Exists(folder["out"]));
    }

    [TestMethod]
    [DataRow("cuda:0")]
    public void ADeviceThatIsNotThere_IsAnErrorAndNoFallback(string device)
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);

        CommandLine.Run("profile", folder["family"], "--device", device).FailedSaying("cuda:0");
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux | OperatingSystems.OSX)]
    public void CtrlC_DuringTraining_LeavesWholeFilesToGoOnFrom()
    {
        using var folder = new TemporaryFolder();

        var result = CommandLine.Interrupt("epoch 2", "train", "mlp", "--data", "digits", "--epochs", "5000", "--out", folder["out"]);

        result.FailedSaying("Stopped");
        CollectionAssert.IsSubsetOf(new[] { "checkpoint.onnx", "metrics.jsonl" }, Directory.GetFiles(folder["out"]).Select(Path.GetFileName).ToArray());
        Assert.IsEmpty(Directory.GetFiles(folder["out"], "*.partial"));
        CommandLine.Run("inspect", folder["out/checkpoint.onnx"]).Succeeded();
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux | OperatingSystems.OSX)]
    public void CtrlC_DuringExport_LeavesNothing()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);
        var budgets = string.Join(',', Enumerable.Range(1, 400).Select(i => $"{i / 400.0}"));

        var result = CommandLine.Interrupt("graph 2 ", "export", folder["m.lod.onnx"], "--data", "digits", "--budgets", budgets, "--out", folder["family"]);

        result.FailedSaying("Stopped");
        CollectionAssert.AreEqual(new[] { folder["m.lod.onnx"] }, Directory.GetFileSystemEntries(folder.Path));
    }

    static CommandResult Run(string verb, TemporaryFolder folder, string model) => verb == "inspect"
        ? CommandLine.Run("inspect", folder[model])
        : CommandLine.Run(verb, folder[model], "--out", folder["out"]);
}
