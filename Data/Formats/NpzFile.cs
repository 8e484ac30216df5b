using System.IO.Compression;

namespace MaestroDeploy.Data;

/// <summary>NumPy's <c>.npz</c>: a zip file of <c>.npy</c> files, compressed or not.</summary>
public static class NpzFile
{
    const string Extension = ".npy";

    /// <summary>The names of its arrays.</summary>
    /// <exception cref="DataFormatException">It is absent or no zip file.</exception>
    public static IReadOnlyList<string> Names(string path) => Opened(path, (zip, _) => Arrays(zip).Select(NameOf).ToArray());

    /// <summary>Reads arrays as floats, by their names (<c>arr_0</c>, … where they were saved without); other files in it are passed over.</summary>
    /// <param name="path">The file.</param>
    /// <param name="wanted">The arrays to read, of those there are; null for every one.</param>
    /// <exception cref="DataFormatException">It is absent or no zip file, an array cannot be read, or together they would be too large.</exception>
    public static IReadOnlyDictionary<string, NpyArray> Read(string path, IReadOnlyCollection<string>? wanted = null) => Read(path, NpyFile.Read, wanted);

    /// <summary>Reads every array as the bytes that it has.</summary>
    /// <exception cref="DataFormatException">It is absent or no zip file, an array cannot be read, or together they would be too large.</exception>
    public static IReadOnlyDictionary<string, NpyBytes> ReadBytes(string path) => Read(path, NpyFile.ReadBytes, null);

    /// <summary>Writes arrays, not compressed, to a file that appears whole or not at all, in place of one already there.</summary>
    /// <param name="path">Where to write; its folder exists.</param>
    /// <param name="arrays">The arrays and their names.</param>
    public static void Write(string path, params IEnumerable<(string Name, NpyBytes Array)> arrays) => FileBeside.Write(path, file =>
    {
        using var zip = new ZipArchive(file, ZipArchiveMode.Create);
        foreach (var (name, array) in arrays)
        {
            using var entry = zip.CreateEntry(name + Extension, CompressionLevel.NoCompression).Open();
            NpyFile.Write(entry, array);
        }
    });

    static Dictionary<string, T> Read<T>(string path, Func<Stream, long, string, T> read, IReadOnlyCollection<string>? wanted) => Opened(path, (zip, length) =>
    {
        var entries = Arrays(zip).Where(entry => wanted?.Contains(NameOf(entry)) != false).ToArray();
        var claimed = entries.Aggregate((UInt128)0, (sum, entry) => sum + (ulong)entry.Length);
        var limit = Deflated.LimitFor(length);
        if (claimed > (UInt128)limit)
        {
            throw new DataFormatException(path, $"claims {claimed} bytes of arrays, and {limit} are the most that are read from a file of its size.");
        }

        var arrays = new Dictionary<string, T>();
        foreach (var entry in entries)
        {
            using var content = entry.Open();
            arrays[NameOf(entry)] = read(content, entry.Length, $"{path}({entry.FullName})");
        }

        return arrays;
    });

    static T Opened<T>(string path, Func<ZipArchive, long, T> use)
    {
        using var file = File.Exists(path) ? File.OpenRead(path) : throw new DataFormatException(path, "there is no such file.");
        try
        {
            using var zip = new ZipArchive(file, ZipArchiveMode.Read);
            return use(zip, file.Length);
        }
        catch (InvalidDataException e)
        {
            throw new DataFormatException(path, "is not a zip file that can be read.", e);
        }
    }

    static IEnumerable<ZipArchiveEntry> Arrays(ZipArchive zip) => zip.Entries.Where(entry => entry.FullName.EndsWith(Extension, StringComparison.Ordinal));

    static string NameOf(ZipArchiveEntry entry) => entry.FullName[..^Extension.Length];
}
