using System.Security.Cryptography;

namespace MaestroDeploy.Profiles;

/// <summary>One file and what its bytes must come to.</summary>
public sealed record FileHash(string File, long Bytes, string Sha256)
{
    /// <summary>Its name, without any folder.</summary>
    public string File { get; } = Check.BareFileName(File);

    /// <summary>Its length in bytes.</summary>
    public long Bytes { get; } = Check.AtLeast(0L, Bytes);

    /// <summary>SHA-256 of its bytes, 64 lower-case hexadecimal digits.</summary>
    public string Sha256 { get; } = Check.Sha256(Sha256);

    /// <summary>Reads a file once, in pieces, and says what it is.</summary>
    /// <param name="path">The file; only its name is kept.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static FileHash Of(string path)
    {
        using var stream = System.IO.File.OpenRead(path);
        var hash = HashOf(stream);
        return new FileHash(Path.GetFileName(path), stream.Position, hash);
    }

    /// <summary>SHA-256 of a file's bytes, whatever its name: one that no family may hold, such as with a colon, is hashed too.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static string Sha256Of(string path)
    {
        using var stream = System.IO.File.OpenRead(path);
        return HashOf(stream);
    }

    static string HashOf(Stream stream) => Convert.ToHexStringLower(SHA256.HashData(stream));
}
