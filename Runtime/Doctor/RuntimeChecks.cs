using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Microsoft.ML.OnnxRuntime;

namespace MaestroDeploy.Runtime.Doctor;

/// <summary>What a machine has and lacks for running families.</summary>
public static class RuntimeChecks
{
    /// <summary>Looks at everything; takes about a second, most of it for the noise.</summary>
    public static IReadOnlyList<Finding> All() =>
        [OnnxRuntime(), NativePackages(AppContext.BaseDirectory), Cuda(), CudaLibraries(), Instructions(), Threads(), Noise()];

    static Finding OnnxRuntime() => OnnxRuntimeLibrary.Problem is { } problem
        ? new Finding(
            "ONNX Runtime", "its native library does not load",
            $"Reference exactly one of Microsoft.ML.OnnxRuntime and Microsoft.ML.OnnxRuntime.Gpu in the program: {problem}")
        : new Finding("ONNX Runtime", $"{OnnxRuntimeLibrary.Version}: {string.Join(", ", OrtEnv.Instance().GetAvailableProviders())}");

    /// <summary>The native libraries under a program's folder: one package's, or a clash of two.</summary>
    internal static Finding NativePackages(string folder)
    {
        const string What = "ONNX Runtime packages";
        var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, MaxRecursionDepth = 4 };
        // onnxruntime.dll, libonnxruntime.so, libonnxruntime.so.1, libonnxruntime.dylib; the providers' are others.
        string[] libraries = [.. Directory.EnumerateFiles(folder, "*onnxruntime.*", options)
            .Where(file => Path.GetFileName(file) is var name && (name is "onnxruntime.dll" or "libonnxruntime.dylib"
                || name.StartsWith("libonnxruntime.so", StringComparison.Ordinal)))
            .Select(file => Path.GetRelativePath(folder, file)).Order(StringComparer.Ordinal)];
        // The same library may lie there for several platforms, each in its own folder; two in one folder are two packages.
        var sizes = libraries.GroupBy(file => Platform(file)).Where(group => group
            .Select(file => new FileInfo(Path.Combine(folder, file)).Length).Distinct().Count() > 1).ToArray();
        return libraries.Length == 0
            ? new Finding(What, "no native library beside the program; it is looked for on the system")
            : sizes.Length > 0
                ? new Finding(What, string.Join(", ", sizes[0]), "Two packages bring different native libraries, and either may be loaded; keep one of Microsoft.ML.OnnxRuntime, .Gpu and .DirectML.")
                : new Finding(What, string.Join(", ", libraries));

        // runtimes/<platform>/native/…, or the program's own folder for the platform that it was built for.
        static string Platform(string file) => file.Split(Path.DirectorySeparatorChar) is ["runtimes", var platform, ..] ? platform : RuntimeInformation.RuntimeIdentifier;
    }

    static Finding Cuda()
    {
        if (OnnxRuntimeLibrary.Problem is not null)
        {
            return new Finding("cuda:0", "not to be had", "Without ONNX Runtime's native library nothing runs.");
        }

        try
        {
            ModelSession.CheckDevice(Device.Cuda(0));
            return new Finding("cuda:0", "ready");
        }
        catch (DeviceException e)
        {
            return new Finding("cuda:0", "not to be had; cpu is", e.Message);
        }
    }

    // ONNX Runtime loads them by these names. Which major version it wants depends on its package: 1.27 and later are built for CUDA 13 first.
    static Finding CudaLibraries()
    {
        string[] runtime = OperatingSystem.IsWindows() ? ["cudart64_13.dll", "cudart64_12.dll"] : ["libcudart.so.13", "libcudart.so.12"];
        string[] cudnn = OperatingSystem.IsWindows() ? ["cudnn64_9.dll"] : ["libcudnn.so.9"];
        var found = runtime.Concat(cudnn).Where(Loads).ToArray();
        return new Finding(
            "CUDA libraries", found.Length > 0 ? $"{string.Join(", ", found)} found" : "none found",
            found.Intersect(runtime).Any() && found.Intersect(cudnn).Any()
                ? null
                : $"Only cuda:N needs them: {string.Join(" or ", runtime)}, as the ONNX Runtime package was built, and {cudnn[0]} for convolutions.");

        static bool Loads(string library)
        {
            if (!NativeLibrary.TryLoad(library, out var handle))
            {
                return false;
            }

            NativeLibrary.Free(handle);
            return true;
        }
    }

    static Finding Instructions()
    {
        var there = InstructionSets.Here;
        var slow = RuntimeInformation.ProcessArchitecture == Architecture.X64 && !Avx2.IsSupported;
        return new Finding(
            "instruction sets", there.Count > 0 ? string.Join(", ", there) : "none that matter",
            slow ? "Without AVX2 ONNX Runtime's kernels are several times slower." : null);
    }

    static Finding Threads()
    {
        var settings = new SessionSettings();
        var device = DeviceProbe.Read();
        return new Finding(
            "threads", $"{settings.Threads} by default, {(settings.Spinning ? "spinning while idle" : "not spinning")}"
                + (device.Governor is { } governor ? $"; clock governor '{governor}'" : "")
                + (device.CgroupCpuLimit is { } limit ? $"; container limit {limit} µs" : ""),
            device.Governor == "powersave" ? "The governor 'powersave' makes latencies move; 'performance' keeps them." : null);
    }

    static Finding Noise()
    {
        var noise = NoiseProbe.Measure(TimeProvider.System);
        var needed = noise.SamplesNeeded;
        return new Finding(
            "noise", string.Create(CultureInfo.InvariantCulture, $"equal work varied by {100 * noise.Statistics.CoefficientOfVariation:0.#} % over {noise.Statistics.Samples} runs; ")
                + (needed is { } samples
                    ? $"to bound p90 within {100 * NoiseProbe.Tolerance:0} % a profile needs {samples} samples a variant (quick has 64, full 1024)"
                    : "no number of samples bounds p90 well"),
            noise.Statistics.Unstable ? "Close other work before you measure." : null);
    }
}
