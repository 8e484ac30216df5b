using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;

namespace MaestroDeploy.Profiles;

/// <summary>A record that is a file of its own and says which edition of its format it is written in.</summary>
public interface IVersioned
{
    /// <summary>The newest edition this build reads, and the one it writes.</summary>
    static abstract int CurrentSchema { get; }

    /// <summary>The edition this value is written in.</summary>
    int SchemaVersion { get; }
}

/// <summary>How every record of this room becomes JSON and comes back: snake_case, indented, UTF-8, absent when null.</summary>
public static class ProfilesJson
{
    // Some thousand variants fit; what is larger is no file of ours, and must not fill the memory to be told so.
    const long LargestFile = 64 << 20;

    /// <summary>The options behind <see cref="Read{T}"/> and <see cref="Write{T}"/>; read-only.</summary>
    public static JsonSerializerOptions Options { get; } = CreateOptions();

    /// <summary>The value as the JSON text that would be written to a file, ending in a line break.</summary>
    /// <param name="value">Any record of this room, reports included.</param>
    /// <typeparam name="T">The record's type.</typeparam>
    public static string ToText<T>(T value) => JsonSerializer.Serialize(value, Options) + "\n";

    /// <summary>Writes a file beside <paramref name="path"/> and renames it, so that a reader never sees half of one.</summary>
    /// <param name="path">The file to create or replace; its folder must exist.</param>
    /// <param name="value">What to write.</param>
    /// <typeparam name="T">The record's type.</typeparam>
    public static void Write<T>(string path, T value)
        where T : IVersioned
    {
        var beside = $"{path}.{Path.GetRandomFileName()}";
        try
        {
            File.WriteAllText(beside, ToText(value));
            File.Move(beside, path, overwrite: true);
        }
        finally
        {
            File.Delete(beside); // gone already, unless something above failed
        }
    }

    /// <summary>Reads and checks a file; members that this build does not know are ignored.</summary>
    /// <param name="path">The file to read, 64 MiB at most.</param>
    /// <typeparam name="T">The record's type.</typeparam>
    /// <exception cref="ProfileFormatException">
    /// It is not JSON, lacks a member, holds a value out of range or has a newer schema.
    /// </exception>
    /// <exception cref="IOException">It is not there or cannot be read.</exception>
    public static T Read<T>(string path)
        where T : IVersioned
    {
        if (new FileInfo(path) is { Exists: true, Length: > LargestFile and var length })
        {
            throw new ProfileFormatException(path, $"{length} bytes are more than the {LargestFile} such a file may have.");
        }

        var bytes = ReadBytes(path);
        try
        {
            CheckSchema<T>(path, bytes);
            return JsonSerializer.Deserialize<T>(bytes, Options)
                ?? throw new ProfileFormatException(path, "It holds null where a record was expected.");
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new ProfileFormatException(path, e.Message, e);
        }
    }

    /// <summary>The bytes of a file of JSON, without the mark of UTF-8 that some editors put before them.</summary>
    /// <exception cref="IOException">It is not there or cannot be read.</exception>
    public static byte[] ReadBytes(string path) => File.ReadAllBytes(path) switch
    {
        [0xEF, 0xBB, 0xBF, .. var json] => json,
        var json => json,
    };

    // Before anything else, for a newer edition may lack what this one requires.
    static void CheckSchema<T>(string path, byte[] bytes)
        where T : IVersioned
    {
        var version = JsonSerializer.Deserialize<SchemaHeader>(bytes, Options)?.SchemaVersion;
        if (version > T.CurrentSchema)
        {
            throw new ProfileFormatException(
                path, $"It has schema version {version} and this build reads up to {T.CurrentSchema}; use a newer build.");
        }

        if (version is null or < 1)
        {
            throw new ProfileFormatException(path, $"schema_version must be 1 to {T.CurrentSchema}; found '{version}'.");
        }
    }

    static JsonSerializerOptions CreateOptions()
    {
        var options = new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
            AllowDuplicateProperties = false,
            WriteIndented = true,
            NewLine = "\n",
            Encoder = JavaScriptEncoder.Create(UnicodeRanges.All), // other scripts stay legible
        };
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }

    sealed record SchemaHeader(int SchemaVersion);
}
