using System.Diagnostics;
using MaestroDeploy.Data;

namespace MaestroDeploy.Tests.Runtime;

[TestClass]
public sealed class OnnxRuntimeTelemetryTests
{
    // Where ONNX Runtime sees one of these it is quiet by itself.
    static readonly string[] SignsOfATest = ["CI", "GITHUB_ACTIONS", "TF_BUILD", "GITLAB_CI", "JENKINS_URL", "BUILDKITE", "TEAMCITY_VERSION", "ORT_DISABLE_TELEMETRY"];

    /// <summary>With its telemetry on, ONNX Runtime keeps a device's id and a database of events below the home folder, and sends them.</summary>
    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)] // there it writes no files
    public void Run_InAFreshHome_LeavesNothingThere()
    {
        using var folder = new TemporaryFolder();
        folder.Write("g.onnx", TinyModel.IndexBesideItsRow());
        NpyFile.Write(folder["index.npy"], new NpyBytes([2], "int64", new byte[16]));
        Directory.CreateDirectory(folder["home"]);
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "maestro.dll"), "run", folder["g.onnx"], "--input", folder["index.npy"]])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["HOME"] = folder["home"];
        Array.ForEach(SignsOfATest, name => start.Environment.Remove(name));

        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();

        Assert.AreEqual(0, process.ExitCode, error.Result);
        Assert.IsEmpty(Directory.GetFiles(folder["home"], "*onnxruntime*", SearchOption.AllDirectories));
        Assert.IsEmpty(Directory.GetDirectories(folder["home"], "*onnxruntime*", SearchOption.AllDirectories));
    }
}
