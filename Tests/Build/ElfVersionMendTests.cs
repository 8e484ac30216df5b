using MaestroDeploy.Build;
using TorchSharp;

namespace MaestroDeploy.Tests.Build;

[TestClass]
public sealed class ElfVersionMendTests
{
    const string Version = "GLIBCXX_3.4.32";

    static string Library => Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so");

    [TestMethod]
    public void Torch_AfterTheBuild_LoadsAndComputes()
    {
        using var ones = torch.ones(2, 3);
        using var sum = ones.sum();

        Assert.AreEqual(6f, sum.item<float>());
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public void MarkWeak_TheMendedLibrary_HasNothingLeftToChange()
    {
        var image = File.ReadAllBytes(Library);

        Assert.AreEqual(0, ElfVersionMend.MarkWeak(image, Version));
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public void MarkWeak_AVersionStillStrong_ChangesOneFlagAndNothingElse()
    {
        var original = File.ReadAllBytes(Library);
        var image = original.ToArray();

        var changed = ElfVersionMend.MarkWeak(image, "GLIBCXX_3.4.21"); // another one that the library asks for

        Assert.AreEqual(1, changed);
        Assert.AreEqual(1, original.Zip(image).Count(pair => pair.First != pair.Second));
    }

    [TestMethod]
    public void MarkWeak_NotAnElfLibrary_LeavesItAlone()
    {
        var image = "MZ this is a Windows library, or a text of more than sixty-four characters"u8.ToArray();

        Assert.AreEqual(0, ElfVersionMend.MarkWeak(image, Version));
    }
}
