using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Tests.Runtime;

[TestClass]
public sealed class FamilyTests
{
    [TestMethod]
    public void Open_WholeFamily_KnowsItsManifestAndItsHash()
    {
        using var tiny = new TinyFamily();

        var family = Family.Open(tiny.Path + Path.DirectorySeparatorChar);

        Assert.AreEqual("tiny", family.Manifest.Name);
        Assert.AreEqual(tiny.Path, family.Folder);
        Assert.AreEqual(FileHash.Of(tiny["family.json"]).Sha256, family.Sha256);
        Assert.AreEqual(tiny["small.onnx"], family.PathOf(family.Manifest.Find("small")!));
        Assert.IsTrue(family.HasDense);
    }

    [TestMethod]
    public void Open_WithoutTheDenseBaseline_IsAFamilyStill()
    {
        using var tiny = new TinyFamily();
        File.Delete(tiny["dense.onnx"]);

        Assert.IsFalse(tiny.Open().HasDense);
    }

    [TestMethod]
    public void Open_NoManifest_NamesTheFolder()
    {
        using var tiny = new TinyFamily();

        var refused = Assert.ThrowsExactly<FamilyException>(() => Family.Open(tiny.Outside));

        Assert.Contains(tiny.Outside, refused.Message);
        Assert.Contains("family.json", refused.Message);
    }

    [TestMethod]
    public void Open_MissingFile_NamesIt()
    {
        using var tiny = new TinyFamily();
        File.Delete(tiny["small.onnx"]);

        Assert.Contains(tiny["small.onnx"], Assert.ThrowsExactly<FamilyException>(tiny.Open).Message);
    }

    [TestMethod]
    public void Open_TruncatedFile_GivesBothLengths()
    {
        using var tiny = new TinyFamily();
        var whole = File.ReadAllBytes(tiny["small.onnx"]);
        File.WriteAllBytes(tiny["small.onnx"], whole[..^1]);

        var refused = Assert.ThrowsExactly<FamilyException>(tiny.Open);

        Assert.Contains($"{whole.Length} bytes", refused.Message);
        Assert.Contains($"has {whole.Length - 1}", refused.Message);
    }

    [TestMethod]
    public void Open_OneByteChanged_GivesBothHashesUnlessNotAskedToVerify()
    {
        using var tiny = new TinyFamily();
        var bytes = File.ReadAllBytes(tiny["small.onnx"]);
        bytes[^1] ^= 1;
        File.WriteAllBytes(tiny["small.onnx"], bytes);

        var refused = Assert.ThrowsExactly<FamilyException>(tiny.Open);

        Assert.Contains(tiny.Manifest.Files.Single(file => file.File == "small.onnx").Sha256, refused.Message);
        Assert.Contains(FileHash.Of(tiny["small.onnx"]).Sha256, refused.Message);
        Assert.IsNotNull(Family.Open(tiny.Path, verify: false));
    }

    [TestMethod]
    public void Open_FileNameThatEscapes_IsRefusedByTheManifest()
    {
        using var tiny = new TinyFamily();
        var text = File.ReadAllText(tiny["family.json"]);
        File.WriteAllText(tiny["family.json"], text.Replace("small.onnx", "../small.onnx", StringComparison.Ordinal));

        Assert.Contains("../small.onnx", Assert.ThrowsExactly<ProfileFormatException>(tiny.Open).Message);
    }

    [TestMethod]
    [DataRow("small.onnx")]
    [DataRow("family.json")]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)] // links need a privilege there
    public void Open_LinkOutOfTheFolder_IsRefused(string file)
    {
        using var tiny = new TinyFamily();
        var target = Path.Combine(tiny.Outside, file);
        File.Move(tiny[file], target);
        File.CreateSymbolicLink(tiny[file], target);

        Assert.Contains(target, Assert.ThrowsExactly<FamilyException>(tiny.Open).Message);
    }

    [TestMethod]
    [DataRow("weights.bin", "../secret.bin", DisplayName = "a file")]
    [DataRow("weights.bin", "/", DisplayName = "a full path")]
    [DataRow("up", "..", DisplayName = "the folder above")]
    [DataRow("inside/weights.bin", "../../secret.bin", DisplayName = "from a folder inside")]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    public void Open_LinkOutOfTheFolderThatTheManifestDoesNotName_IsRefused(string link, string target)
    {
        using var tiny = new TinyFamily();
        Directory.CreateDirectory(tiny["inside"]);
        File.CreateSymbolicLink(tiny[link], target);

        Assert.Contains($"a link to {target}", Assert.ThrowsExactly<FamilyException>(tiny.Open).Message);
    }

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    public void Open_LinkWithinTheFolderOrToTheFolder_IsFine()
    {
        using var tiny = new TinyFamily();
        File.Move(tiny["small.onnx"], tiny["real.onnx"]);
        File.CreateSymbolicLink(tiny["small.onnx"], "real.onnx");
        var link = Path.Combine(tiny.Outside, "link");
        Directory.CreateSymbolicLink(link, tiny.Path);

        Assert.IsNotNull(tiny.Open());
        Assert.IsNotNull(Family.Open(link));
    }
}
