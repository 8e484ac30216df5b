using MaestroDeploy.Runtime;
using MaestroDeploy.Tests.Profiles;

namespace MaestroDeploy.Tests.Runtime;

[TestClass]
public sealed class ProfileStoreTests
{
    static readonly SessionSettings Settings = new() { Threads = 2 };

    [TestMethod]
    public void PathFor_Cuda_IsBesideTheFamilyAndNamesTheUse()
    {
        using var tiny = new TinyFamily();
        var settings = new SessionSettings { Device = Device.Cuda(0), Threads = 4 };

        var path = ProfileStore.Beside(tiny.Open()).PathFor(Samples.Device(), settings, batch: 8);

        Assert.AreEqual(Path.Combine(tiny.Path + ".profiles", "some-cpu-cuda-0-t4-b8.json"), path);
    }

    [TestMethod]
    public void Find_OtherSpinningOrPrepacking_IsNotAnsweredByWhatWasMeasuredWithout()
    {
        using var tiny = new TinyFamily();
        var family = tiny.Open();
        var store = ProfileStore.Beside(family);
        var profile = Samples.Profile() with { FamilySha256 = family.Sha256 };

        _ = store.Save(profile);
        var sleeping = store.Save(profile with { Measurement = profile.Measurement with { Spinning = false } });
        File.Copy(sleeping, store.PathFor(Samples.Device(), Settings with { Prepack = false }, batch: 1)); // as one that was renamed

        Assert.IsNotNull(store.Find(family, Samples.Device(), Settings, batch: 1).Profile);
        Assert.AreEqual(sleeping, store.Find(family, Samples.Device(), Settings with { Spinning = false }, batch: 1).Path);
        Assert.IsNotNull(store.Find(family, Samples.Device(), Settings with { Spinning = false }, batch: 1).Profile);
        Assert.Contains("idle threads that sleep, not spin", store.Find(family, Samples.Device(), Settings with { Prepack = false }, batch: 1).Problem!);
        Assert.Contains("not been measured", store.Find(family, Samples.Device(), Settings with { Spinning = false, Prepack = false }, batch: 1).Problem!);
    }

    [TestMethod]
    public void Save_ProfilesOfTwoSizesOfAnOpenAxis_KeepsBoth()
    {
        using var tiny = TinyFamily.Translator();
        var family = tiny.Open();
        var store = ProfileStore.Beside(family);
        var profile = Samples.Profile() with { FamilySha256 = family.Sha256 };

        foreach (var size in new[] { 16, 128 })
        {
            _ = store.Save(profile with { Measurement = profile.Measurement with { OpenAxis = size } });
        }

        Assert.AreEqual(16, store.Find(family, Samples.Device(), Settings, batch: 1).Profile!.Measurement.OpenAxis);
        Assert.AreEqual(128, store.Find(family, Samples.Device(), Settings, batch: 1, openAxis: 128).Profile!.Measurement.OpenAxis);
    }

    [TestMethod]
    public void Find_WhatWasSaved_IsFresh()
    {
        using var tiny = new TinyFamily();
        var family = tiny.Open();
        var store = ProfileStore.Beside(family);

        var saved = store.Save(Samples.Profile() with { FamilySha256 = family.Sha256 });
        var found = store.Find(family, Samples.Device(), Settings, batch: 1);

        Assert.AreEqual(saved, found.Path);
        Assert.IsNotNull(found.Profile);
        Assert.IsNull(found.Problem);
    }

    [TestMethod]
    public void Find_AfterTheFamilyChanged_SaysSo()
    {
        using var tiny = new TinyFamily();
        var store = ProfileStore.Beside(tiny.Open());

        _ = store.Save(Samples.Profile());
        var found = store.Find(tiny.Open(), Samples.Device(), Settings, batch: 1);

        Assert.IsNull(found.Profile);
        Assert.Contains("family has changed", found.Problem!);
    }

    [TestMethod]
    public void Find_NothingOrRubbish_SaysWhichItIs()
    {
        using var tiny = new TinyFamily();
        var store = ProfileStore.Beside(tiny.Open());

        var nothing = store.Find(tiny.Open(), Samples.Device(), Settings, batch: 1);
        Directory.CreateDirectory(store.Folder);
        File.WriteAllText(nothing.Path, "{");
        var rubbish = store.Find(tiny.Open(), Samples.Device(), Settings, batch: 1);

        Assert.Contains("not been measured", nothing.Problem!);
        Assert.Contains(nothing.Path, rubbish.Problem!);
    }

    [TestMethod]
    public void Find_AFileThatCannotBeRead_SaysSo()
    {
        using var tiny = new TinyFamily();
        var family = tiny.Open();
        var store = ProfileStore.Beside(family);
        using var held = new FileStream(store.Save(Samples.Profile() with { FamilySha256 = family.Sha256 }), FileMode.Open, FileAccess.ReadWrite, FileShare.None);

        var found = store.Find(family, Samples.Device(), Settings, batch: 1);

        Assert.IsNull(found.Profile);
        Assert.Contains(found.Path, found.Problem!);
    }
}
