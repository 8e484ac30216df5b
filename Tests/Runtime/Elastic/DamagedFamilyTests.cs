using System.Text.Json.Nodes;
using MaestroDeploy.Exporter;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Elastic;

namespace MaestroDeploy.Tests.Runtime.Elastic;

/// <summary>Families that are not what they say: each ends in an error of ours or in a told fallback, none inside ONNX Runtime.</summary>
[TestClass]
public sealed class DamagedFamilyTests
{
    static readonly ElasticOptions Options = new() { Settings = new SessionSettings { Threads = 1, Spinning = false } };

    [TestMethod]
    public void Open_AnyByteOfAGraphChangedAndNobodyVerifies_AnswersOrIsRefused()
    {
        using var tiny = new TinyFamily("only");
        var (path, profile) = (tiny["only.onnx"], tiny.Profile(1000));
        var whole = File.ReadAllBytes(path);
        var (answered, refused) = (0, 0);
        foreach (var flip in new byte[] { 0x01, 0x10, 0x80 })
        {
            for (var i = 0; i < whole.Length; i++)
            {
                var changed = whole.ToArray();
                changed[i] ^= flip;
                File.WriteAllBytes(path, changed);
                try
                {
                    using var session = new ElasticSession(Family.Open(tiny.Path, verify: false), profile, options: Options);
                    session.Run([1, 2, 3], new float[2]);
                    answered++;
                }
                catch (RuntimeException e)
                {
                    Assert.Contains("only.onnx", e.Message);
                    refused++;
                }
            }
        }

        Assert.AreEqual(3 * whole.Length, answered + refused);
        Assert.IsGreaterThan(0, answered); // a weight, or the graph's name
        Assert.IsGreaterThan(0, refused);
    }

    [TestMethod]
    public void Open_AGraphOfAnotherNetwork_IsRefusedNamingBoth()
    {
        using var tiny = new TinyFamily("only");
        Replace(tiny.Path, "only.onnx", TinyModel.Translator());

        var refused = Assert.ThrowsExactly<ModelException>(() => ElasticSession.Open(tiny.Path, options: Options with { OpenAxis = 1 }));

        Assert.Contains("only.onnx", refused.Message);
        Assert.Contains("source int64 [N, S]", refused.Message);
        Assert.Contains("x float32 [N, 3]", refused.Message);
    }

    [TestMethod]
    [DataRow("weights.bin", 1000, DisplayName = "weights cut short")]
    [DataRow("weights.bin", 0, DisplayName = "no weights")]
    [DataRow("b25.onnx", 50, DisplayName = "a graph cut short")]
    [DataRow("b25.onnx", 0, DisplayName = "an empty graph")]
    public void Open_FilesCutShortBySomeoneWhoAlsoMendedTheManifest_AreRefusedByName(string file, int left)
    {
        using var folder = new TemporaryFolder();
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);
        new FamilyExporter(new ExportOptions { Budgets = [new Budget(0.25)] }).Export(folder["m.lod.onnx"], folder["family"]);
        Replace(folder["family"], file, File.ReadAllBytes(folder[$"family/{file}"])[..left]);

        var refused = Assert.ThrowsExactly<ModelException>(() => ElasticSession.Open(folder["family"], options: Options));

        Assert.Contains("b25.onnx", refused.Message);
    }

    [TestMethod]
    public void Open_AFamilyOfANewerSchema_NamesBothVersions()
    {
        using var tiny = new TinyFamily();
        var path = tiny[FamilyManifest.FileName];
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"schema_version\": 1", "\"schema_version\": 99", StringComparison.Ordinal));

        var refused = Assert.ThrowsExactly<ProfileFormatException>(() => ElasticSession.Open(tiny.Path, options: Options));

        Assert.Contains("schema version 99", refused.Message);
        Assert.Contains("up to 1", refused.Message);
    }

    [TestMethod]
    [DataRow("Cpu", DisplayName = "another device's")]
    [DataRow("Schema", DisplayName = "of a newer schema")]
    [DataRow("Rubbish")]
    public void Open_AProfileThatSaysNothingHere_MeasuresInstead(string flaw)
    {
        using var tiny = new TinyFamily();
        var family = tiny.Open();
        var path = ProfileStore.Beside(family).PathFor(DeviceProbe.Read(), Options.Settings, batch: 1);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        var text = ProfilesJson.ToText(tiny.Profile(9e9, 9e9)); // fits nothing, were it believed
        File.WriteAllText(path, flaw switch
        {
            "Schema" => text.Replace("\"schema_version\": 1", "\"schema_version\": 99", StringComparison.Ordinal),
            "Rubbish" => "{",
            _ => text,
        });

        using var session = ElasticSession.Open(tiny.Path, new ServiceLevel { MaxLatency = TimeSpan.FromSeconds(10) }, Options);

        Assert.IsTrue(session.Selection.Fits);
        Assert.IsNull(session.StaleBecause);
    }

    // The manifest says of the new file what is true of it, as a forger would have it.
    static void Replace(string folder, string file, byte[] bytes)
    {
        var (path, manifest) = (System.IO.Path.Combine(folder, file), System.IO.Path.Combine(folder, FamilyManifest.FileName));
        File.WriteAllBytes(path, bytes);
        var (hash, json) = (FileHash.Of(path), JsonNode.Parse(File.ReadAllText(manifest))!);
        var entry = json["files"]!.AsArray().Single(entry => (string?)entry!["file"] == file)!;
        (entry["bytes"], entry["sha256"]) = (hash.Bytes, hash.Sha256);
        File.WriteAllText(manifest, json.ToJsonString());
    }
}
