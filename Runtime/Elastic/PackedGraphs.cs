using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime.Elastic;

/// <summary>A family's graphs as ONNX Runtime lays them out for one machine, kept in files: their rearranged weights are mapped, not copied into private memory.</summary>
/// <remarks>
/// <c>FOLDER/DEVICE-ID/FILE.packed/</c>, of the variant's file, holds <c>graph.onnx</c>, <c>graph.bin</c> where there are weights to speak of, and <c>packed.json</c>; it is written whole under another
/// name and renamed. Another family, machine or version of ONNX Runtime has another ID, since what is there may be in use. A folder of which
/// a file has changed is made anew.
/// </remarks>
/// <param name="folder">Where they are kept; made when the first is.</param>
/// <param name="family">The family.</param>
sealed class PackedGraphs(string folder, Family family)
{
    const string GraphFile = "graph.onnx", DataFile = "graph.bin", LabelFile = "packed.json";

    readonly Lock _gate = new();
    readonly HashSet<string> _checked = []; // hashing them once a session is enough
    readonly string _place = Path.Combine(folder, PlaceFor(family, DeviceProbe.Read()));

    /// <summary>Loads a variant, after laying it out where that has not been done.</summary>
    /// <exception cref="ModelException">It cannot be loaded, or the folder cannot be written.</exception>
    public ModelSession Load(Variant variant, SessionSettings settings)
    {
        var place = Path.Combine(_place, $"{variant.File}.packed");
        lock (_gate)
        {
            if (!_checked.Contains(place))
            {
                Ensure(place, family.PathOf(variant), settings);
                _checked.Add(place);
            }
        }

        return new ModelSession(Path.Combine(place, GraphFile), settings);
    }

    static string PlaceFor(Family family, DeviceFingerprint device)
    {
        var use = string.Join('\n', [family.Sha256, device.Cpu, device.Architecture, device.OnnxRuntime, .. InstructionSets.Here]);
        return $"{device.Name}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(use)))[..12]}";
    }

    static void Ensure(string place, string graph, SessionSettings settings)
    {
        try
        {
            if (!Holds(place))
            {
                Make(place, graph, settings);
            }
        }
        catch (IOException) when (Holds(place))
        {
            // another process made it meanwhile
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelException(place, $"Prepacked weights cannot be kept there: {e.Message}", e);
        }
    }

    static bool Holds(string place)
    {
        try
        {
            var label = ProfilesJson.Read<PackedLabel>(Path.Combine(place, LabelFile));
            return label.Files.All(file => file is not null && FileHash.Of(Path.Combine(place, file.File)) == file) && label.Files.Any(file => file.File == GraphFile);
        }
        catch (Exception e) when (e is ProfileFormatException or FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    static void Make(string place, string graph, SessionSettings settings)
    {
        var apart = $"{place}.{Path.GetRandomFileName()}";
        Directory.CreateDirectory(apart);
        try
        {
            SessionFactory.SavePacked(graph, settings, Path.Combine(apart, GraphFile), DataFile);
            ProfilesJson.Write(Path.Combine(apart, LabelFile), new PackedLabel { Files = [.. Directory.GetFiles(apart).Select(FileHash.Of)] });
            if (Holds(place))
            {
                return; // another process was quicker
            }

            if (Directory.Exists(place))
            {
                Directory.Delete(place, recursive: true); // who has its files mapped keeps them
            }

            Directory.Move(apart, place);
        }
        finally
        {
            if (Directory.Exists(apart))
            {
                Directory.Delete(apart, recursive: true);
            }
        }
    }
}

/// <summary>What a folder of a packed graph must hold, byte for byte.</summary>
sealed record PackedLabel : IVersioned
{
    /// <inheritdoc/>
    [JsonIgnore]
    public static int CurrentSchema => 1;

    /// <inheritdoc/>
    public int SchemaVersion { get; } = CurrentSchema;

    /// <summary>The files.</summary>
    public required IReadOnlyList<FileHash> Files { get; init; }
}
