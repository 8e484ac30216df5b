using Microsoft.ML.OnnxRuntime;

namespace MaestroDeploy.Runtime;

/// <summary>The one place where ONNX Runtime sessions are made.</summary>
static class SessionFactory
{
    const string CudaProvider = "CUDAExecutionProvider";

    // ONNX Runtime counts rounds instead, and they took 38 ms on an EPYC: so long the threads of the variant before kept the cores from the one after a switch.
    const string SpinMicroseconds = "1000";

    /// <summary>Loads a graph by its path, never from bytes, so that its weights are mapped and not copied.</summary>
    /// <exception cref="DeviceException">The device is not to be had.</exception>
    /// <exception cref="ModelException">The file is missing or is no graph that ONNX Runtime takes.</exception>
    /// <param name="path">The graph's file.</param>
    /// <param name="settings">How to run it.</param>
    /// <param name="profilePrefix">Where the times of its nodes are written, as the start of a file's path; null for nowhere.</param>
    public static InferenceSession Load(string path, SessionSettings settings, string? profilePrefix = null)
    {
        if (!File.Exists(path))
        {
            throw new ModelException(path, "There is no such file.");
        }

        using var options = Options(settings);
        if (profilePrefix is not null)
        {
            options.ProfileOutputPathPrefix = profilePrefix;
            options.EnableProfiling = true;
        }

        try
        {
            return new InferenceSession(path, options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelException(path, $"ONNX Runtime cannot load it on {settings.Device}: {e.Message}", e);
        }
    }

    /// <summary>Loads a graph that has no file, its weights inline.</summary>
    /// <exception cref="DeviceException">The device is not to be had.</exception>
    /// <exception cref="ModelException">It is no graph that ONNX Runtime takes.</exception>
    public static InferenceSession Load(string name, byte[] model, SessionSettings settings)
    {
        using var options = Options(settings);
        try
        {
            return new InferenceSession(model, options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelException(name, $"ONNX Runtime cannot load it on {settings.Device}: {e.Message}", e);
        }
    }

    /// <summary>Loads the graph that does nothing: what fails then is the device.</summary>
    /// <exception cref="DeviceException">The device is not to be had.</exception>
    public static InferenceSession LoadIdentity(SessionSettings settings)
    {
        using var options = Options(settings);
        try
        {
            return new InferenceSession(IdentityModel.Bytes, options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new DeviceException($"{settings.Device} cannot be used: {e.Message}", e);
        }
    }

    /// <summary>Writes a graph as it is after optimising, its weights prepacked and in a file beside it: for this machine and this version of ONNX Runtime alone.</summary>
    /// <param name="path">The graph's file.</param>
    /// <param name="settings">How it will be run; prepacked.</param>
    /// <param name="to">The file to write, in a folder that exists.</param>
    /// <param name="dataFile">The weights' file in the same folder.</param>
    /// <exception cref="ModelException">It cannot be loaded, or not be written.</exception>
    public static void SavePacked(string path, SessionSettings settings, string to, string dataFile)
    {
        using var options = Options(settings);
        options.OptimizedModelFilePath = to;
        options.AddSessionConfigEntry("session.save_external_prepacked_constant_initializers", "1");
        options.AddSessionConfigEntry("session.optimized_model_external_initializers_file_name", dataFile);
        options.AddSessionConfigEntry("session.optimized_model_external_initializers_min_size_in_bytes", "1024");
        try
        {
            using var session = new InferenceSession(path, options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelException(path, $"ONNX Runtime cannot prepack it into {to}: {e.Message}", e);
        }
    }

    static SessionOptions Options(SessionSettings settings)
    {
        var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            IntraOpNumThreads = settings.Threads,
            // What it would log as an error it also throws; one of the two is enough.
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        try
        {
            options.AddSessionConfigEntry("session.intra_op.allow_spinning", settings.Spinning ? "1" : "0");
            if (settings.Spinning)
            {
                options.AddSessionConfigEntry("session.intra_op.spin_duration_us", SpinMicroseconds);
            }

            options.AddSessionConfigEntry("session.disable_prepacking", settings.Prepack ? "0" : "1");
            if (settings.Device.CudaIndex is { } index)
            {
                AppendCuda(options, index);
            }

            return options;
        }
        catch
        {
            options.Dispose();
            throw;
        }
    }

    static void AppendCuda(SessionOptions options, int index)
    {
        var providers = OrtEnv.Instance().GetAvailableProviders();
        if (!providers.Contains(CudaProvider))
        {
            throw new DeviceException(
                $"cuda:{index} was asked for, but this build has only {string.Join(", ", providers)}; build with -p:Accelerator=cuda.");
        }

        try
        {
            options.AppendExecutionProvider_CUDA(index);
        }
        catch (Exception e) when (e is OnnxRuntimeException or EntryPointNotFoundException)
        {
            throw new DeviceException($"cuda:{index} cannot be used: {e.Message}", e);
        }

        // A graph that silently ran on the processor would be measured, and believed.
        options.AddSessionConfigEntry("session.disable_cpu_ep_fallback", "1");
    }
}
