namespace MaestroDeploy.Tests.Cli;

/// <summary>Choosing from the command line: on a device that was never measured, within a size, and from a profile again.</summary>
[TestClass]
public sealed class SelectTests
{
    [TestMethod]
    public void Select_NeverMeasured_SaysWhatToDoOrCalibratesAndReplays()
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);
        var family = folder["family"];

        CommandLine.Run("select", family, "--max-latency", "1s").FailedSaying("or give --calibrate");
        var calibrated = CommandLine.Run("select", family, "--max-latency", "1s", "--calibrate", "--json").Succeeded().Json;
        var profile = Directory.GetFiles(folder["family.profiles"], "*.calibrated.json").Single();
        var replayed = CommandLine.Run("select", family, "--max-latency", "1s", "--profile", profile, "--json").Succeeded().Json;

        Assert.IsTrue(calibrated.GetProperty("fits").GetBoolean());
        Assert.AreEqual(calibrated.GetRawText(), replayed.GetRawText());
        CommandLine.Run("select", family, "--max-latency", "1s").FailedSaying("or give --calibrate"); // it stands in for no whole profile
    }

    [TestMethod]
    public void Select_ASizeLimit_TakesTheLargestWithinIt()
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);

        var selection = CommandLine.Run("select", folder["family"], "--max-size", "20kB", "--calibrate", "--json").Succeeded().Json;

        Assert.AreEqual("b25", selection.GetProperty("variant").GetProperty("id").GetString());
        Assert.AreEqual(20000, selection.GetProperty("max_bytes").GetInt64());
        Assert.IsTrue(selection.GetProperty("fits").GetBoolean(), selection.GetProperty("reason").GetString());
    }

    [TestMethod]
    [DataRow("--max-size 20", "found '20'")]
    [DataRow("--max-memory 0B", "found '0B'")]
    [DataRow("--calibrate --profile FILE", "give one of them")]
    [DataRow("--calibrate --open-axis 0", "open axis has a size of 1 or more")]
    public void Select_WrongUsage_IsToldInOneLine(string options, string why)
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);

        CommandLine.Run(["select", folder["family"], .. options.Replace("FILE", folder["family/family.json"], StringComparison.Ordinal).Split(' ')]).FailedSaying(why, exitCode: 2);
    }

    /// <summary>A choice for another device may be made here, but whoever runs here must hear of it.</summary>
    [TestMethod]
    public void Select_AProfileOfAnotherUse_SaysInWhatItDiffers()
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);
        CommandLine.Run("profile", folder["family"], "--threads", "1").Succeeded();
        var profile = Directory.GetFiles(folder["family.profiles"]).Single();

        var same = CommandLine.Run("select", folder["family"], "--threads", "1", "--profile", profile).Succeeded();
        var other = CommandLine.Run("select", folder["family"], "--threads", "1", "--batch", "64", "--profile", profile).Succeeded();

        Assert.AreEqual("", same.Error);
        StringAssert.Contains(other.Error, "not what is to be had here: It was measured with batch 1, not 64");
    }

    [TestMethod]
    public void Select_OtherSpinningOrPrepacking_WantsAProfileOfItsOwn()
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);
        var family = folder["family"];

        CommandLine.Run("profile", family, "--threads", "1", "--no-prepacking").Succeeded();

        CommandLine.Run("select", family, "--threads", "1", "--no-prepacking").Succeeded();
        CommandLine.Run("select", family, "--threads", "1").FailedSaying("has not been measured here in that way");
        CommandLine.Run("select", family, "--threads", "1", "--no-prepacking", "--no-spinning").FailedSaying("has not been measured here in that way");
        Assert.HasCount(1, Directory.GetFiles(folder["family.profiles"], "*-cpu-t1-b1-mapped.json"));
    }

    [TestMethod]
    public void Profile_ADeviceThatIsNotThereWithFallback_MeasuresOnTheProcessorAndSaysSo()
    {
        using var folder = new TemporaryFolder();
        SmallFamily.In(folder);

        var result = CommandLine.Run("profile", folder["family"], "--device", "cuda:7", "--allow-fallback", "--threads", "1").Succeeded();

        StringAssert.Contains(result.Error, "on cpu instead of cuda:7");
        Assert.HasCount(1, Directory.GetFiles(folder["family.profiles"], "*-cpu-t1-b1.json"));
    }
}
