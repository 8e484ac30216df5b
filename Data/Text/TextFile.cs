using System.IO.Compression;
using System.Text;

namespace MaestroDeploy.Data;

/// <summary>A file of UTF-8 text, one sentence a line, plain or, when its name ends in <c>.gz</c>, compressed.</summary>
static class TextFile
{
    const int LongestLine = 16 * 1024;

    // Prose shrinks to a third or a fifth; what unfolds further than this is none.
    const long LargestRatio = 100;
    const long SmallestLimit = 1 << 20; // a test's few lines repeated may shrink to anything

    static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The lines without their ends.</summary>
    /// <exception cref="DataFormatException">It cannot be decompressed, is not UTF-8, is empty, or has a line of more than 16,384 characters.</exception>
    public static string[] ReadLines(string path)
    {
        using var file = File.OpenRead(path);
        using var reader = new StreamReader(path.EndsWith(".gz", StringComparison.Ordinal) ? Unpacked(file) : file, Strict);
        try
        {
            string[] lines = [.. Lines(reader, path)];
            return lines.Length > 0 ? lines : throw new DataFormatException(path, "is empty; expected a sentence on each line.");
        }
        catch (InvalidDataException e)
        {
            throw new DataFormatException(path, "cannot be decompressed; fetch it again.", e);
        }
        catch (DecoderFallbackException e)
        {
            throw new DataFormatException(path, "is not text in UTF-8; convert it first.", e);
        }
    }

    static LimitedStream Unpacked(FileStream file) =>
        new(new GZipStream(file, CompressionMode.Decompress), Math.Max(SmallestLimit, file.Length * LargestRatio));

    // StreamReader.ReadLine would gather a line of any length first.
    static IEnumerable<string> Lines(StreamReader reader, string path)
    {
        var line = new char[LongestLine];
        var (length, number) = (0, 1);
        for (int next; (next = reader.Read()) >= 0;)
        {
            if (next == '\n')
            {
                yield return new string(line, 0, length).TrimEnd('\r');
                (length, number) = (0, number + 1);
            }
            else if (length == LongestLine)
            {
                throw new DataFormatException(path, $"line {number} has more than {LongestLine:N0} characters; expected a sentence on each line.");
            }
            else
            {
                line[length++] = (char)next;
            }
        }

        if (length > 0)
        {
            yield return new string(line, 0, length);
        }
    }
}
