namespace MaestroDeploy.Data;

/// <summary>How far to believe what a compressed file says of its size, before memory is set aside for it.</summary>
static class Deflated
{
    // One step of DEFLATE yields 258 bytes at most and takes 2 bits at least: https://zlib.net/zlib_tech.html
    const long LargestRatio = 1032;

    // No data set here comes near it, and a file that does is no mistake of a few bytes.
    const long LargestFile = 1L << 30;

    /// <summary>The most bytes that <paramref name="compressed"/> bytes may unfold into here.</summary>
    public static long LimitFor(long compressed) => Math.Min(compressed * LargestRatio, LargestFile);
}
