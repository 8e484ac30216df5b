using MaestroDeploy.Profiles;

namespace MaestroDeploy.Tests.Profiles;

[TestClass]
public sealed class ProfilesJsonTests
{
    [TestMethod]
    public void Read_WhatWriteWrote_IsTheSame()
    {
        using var folder = new TemporaryFolder();

        ProfilesJson.Write(folder["family.json"], Samples.Manifest());
        ProfilesJson.Write(folder["profile.json"], Samples.Profile());

        Assert.AreEqual(
            ProfilesJson.ToText(Samples.Manifest()), ProfilesJson.ToText(ProfilesJson.Read<FamilyManifest>(folder["family.json"])));
        Assert.AreEqual(
            ProfilesJson.ToText(Samples.Profile()), ProfilesJson.ToText(ProfilesJson.Read<LatencyProfile>(folder["profile.json"])));
    }

    [TestMethod]
    public void Write_OverAnOlderFile_ReplacesItAndLeavesNothingBeside()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("family.json", "old");

        ProfilesJson.Write(path, Samples.Manifest());

        Assert.AreEqual(path, Directory.GetFiles(folder.Path).Single());
        Assert.AreEqual("lenet", ProfilesJson.Read<FamilyManifest>(path).Name);
    }

    [TestMethod]
    public void Read_AMarkOfUtf8BeforeIt_IsPassedOver()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["family.json"], ProfilesJson.ToText(Samples.Manifest()), new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: true));

        Assert.AreEqual("lenet", ProfilesJson.Read<FamilyManifest>(folder["family.json"]).Name);
    }

    [TestMethod]
    public void Read_UnknownMembers_AreIgnored()
    {
        var manifest = ReadChanged("\"name\": \"lenet\"", "\"name\": \"lenet\", \"from_the_future\": [1, {}]");

        Assert.AreEqual("lenet", manifest.Name);
    }

    [TestMethod]
    public void Read_NewerSchema_IsRefusedNamingBoth()
    {
        var refused = Assert.ThrowsExactly<ProfileFormatException>(
            () => ReadChanged("\"schema_version\": 1", "\"schema_version\": 7"));

        Assert.Contains("schema version 7", refused.Message);
        Assert.Contains("up to 1", refused.Message);
    }

    [TestMethod]
    [DataRow("\"schema_version\": 1,", "", "schema_version", DisplayName = "no schema")]
    [DataRow("\"opset\": 17,", "", "opset", DisplayName = "a member missing")]
    [DataRow("\"macs\": 500,", "", "macs", DisplayName = "a variant's member missing")]
    [DataRow("\"file\": \"b50.onnx\"", "\"file\": \"../b50.onnx\"", "../b50.onnx", DisplayName = "a file above the folder")]
    [DataRow("\"file\": \"b50.onnx\"", "\"file\": \"a\\\\b50.onnx\"", "b50.onnx", DisplayName = "a Windows separator")]
    [DataRow("\"file\": \"b50.onnx\"", "\"file\": \"/b50.onnx\"", "/b50.onnx", DisplayName = "a rooted file")]
    [DataRow("\"file\": \"b50.onnx\"", "\"file\": \"..\"", "..", DisplayName = "the folder above")]
    [DataRow("\"file\": \"b50.onnx\"", "\"file\": \"other.onnx\"", "other.onnx", DisplayName = "a file that is not listed")]
    [DataRow("\"accuracy\": 0.97", "\"accuracy\": NaN", "'N'", DisplayName = "NaN")]
    [DataRow("\"accuracy\": 0.97", "\"accuracy\": 1e999", "Accuracy", DisplayName = "infinity")]
    [DataRow("\"accuracy\": 0.97", "\"accuracy\": 1.01", "Accuracy", DisplayName = "an accuracy above 1")]
    [DataRow("\"budget\": 0.5", "\"budget\": 0", "budget", DisplayName = "a budget of nothing")]
    [DataRow("\"fc1\": 8", "\"fc1\": 17", "fc1", DisplayName = "more than the family keeps")]
    [DataRow("\"fc1\": 8", "\"fc1\": \"thick\"", "dense", DisplayName = "neither a rank nor dense")]
    [DataRow("\"fc1\": 8", "\"fc1\": 8, \"fc1\": 9", "layer 'fc1' twice", DisplayName = "a layer twice")]
    [DataRow("\"id\": \"dense\"", "\"id\": \"b50\"", "b50", DisplayName = "an id twice")]
    [DataRow("\"kind\": \"linear\"", "\"kind\": \"recurrent\"", "recurrent", DisplayName = "an unknown kind")]
    [DataRow("\"layers\": [", "\"layers\": [null,", "null", DisplayName = "null in a list")]
    [DataRow("\"name\": \"lenet\"", "\"name\": null", "name", DisplayName = "null for a text")]
    [DataRow("\"macs\": 500", "\"macs\": 5e30", "macs", DisplayName = "a number too large")]
    public void Read_InvalidManifest_IsRefusedNamingTheFileAndTheValue(string valid, string invalid, string named)
    {
        var refused = Assert.ThrowsExactly<ProfileFormatException>(() => ReadChanged(valid, invalid));

        Assert.Contains("family.json", refused.Message);
        Assert.Contains(named, refused.Message);
    }

    [TestMethod]
    [DataRow("")]
    [DataRow("null")]
    [DataRow("[]")]
    [DataRow("{\"schema_version\": 1")]
    [DataRow("\0\0\0\0")]
    public void Read_NotARecord_IsRefused(string text)
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("family.json", text);

        Assert.ThrowsExactly<ProfileFormatException>(() => ProfilesJson.Read<FamilyManifest>(path));
    }

    [TestMethod]
    public void Read_DeeplyNested_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("family.json", "{\"schema_version\": 1, \"x\": " + new string('[', 100_000));

        Assert.ThrowsExactly<ProfileFormatException>(() => ProfilesJson.Read<FamilyManifest>(path));
    }

    static FamilyManifest ReadChanged(string valid, string invalid)
    {
        using var folder = new TemporaryFolder();
        var text = ProfilesJson.ToText(Samples.Manifest());
        var at = text.LastIndexOf(valid, StringComparison.Ordinal); // of two mentions of a file, the second is the variant's
        Assert.IsGreaterThanOrEqualTo(0, at, $"the manifest has no {valid}");
        var path = folder.Write("family.json", text[..at] + invalid + text[(at + valid.Length)..]);
        return ProfilesJson.Read<FamilyManifest>(path);
    }
}
