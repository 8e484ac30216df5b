using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Doctor;
using Microsoft.ML.OnnxRuntime;

namespace MaestroDeploy.Tests.Runtime.Doctor;

[TestClass]
public sealed class RuntimeChecksTests
{
    [TestMethod]
    public void All_ThisMachine_TellsEachThingOnce()
    {
        var findings = RuntimeChecks.All();

        CollectionAssert.AreEqual(
            new[] { "ONNX Runtime", "ONNX Runtime packages", "cuda:0", "CUDA libraries", "instruction sets", "threads", "noise" },
            findings.Select(finding => finding.What).ToArray());
        Assert.IsNull(findings[0].Lacking);
        Assert.IsNull(findings[1].Lacking, findings[1].Found);
    }

    [TestMethod]
    public void NativePackages_TwoDifferentLibrariesForOnePlatform_IsAClash()
    {
        using var folder = new TemporaryFolder();
        var native = folder[Path.Combine("runtimes", "linux-x64", "native")];
        Directory.CreateDirectory(Path.Combine(native, "gpu"));
        File.WriteAllText(Path.Combine(native, "libonnxruntime.so"), "one");
        Assert.IsNull(RuntimeChecks.NativePackages(folder.Path).Lacking);

        File.WriteAllText(Path.Combine(native, "gpu", "libonnxruntime.so"), "another");

        Assert.Contains("keep one", RuntimeChecks.NativePackages(folder.Path).Lacking!);
    }

    [TestMethod]
    public void Resolve_CudaInABuildWithoutIt_IsRefusedOrFallsBackAndSaysSo()
    {
        if (OrtEnv.Instance().GetAvailableProviders().Contains("CUDAExecutionProvider"))
        {
            Assert.Inconclusive("This build has CUDA.");
        }

        var asked = new SessionSettings { Device = Device.Cuda(0), Threads = 1 };

        Assert.ThrowsExactly<DeviceException>(() => DeviceFallback.Resolve(asked, allow: false));
        var resolved = DeviceFallback.Resolve(asked, allow: true);
        Assert.AreEqual(asked with { Device = Device.Cpu }, resolved.Settings);
        Assert.Contains("cuda:0", resolved.FellBackBecause!);
    }
}
