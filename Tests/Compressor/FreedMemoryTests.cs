using System.Globalization;
using System.Runtime.InteropServices;
using MaestroDeploy.Compressor.Training;

namespace MaestroDeploy.Tests.Compressor;

[TestClass]
public sealed class FreedMemoryTests
{
    const int Blocks = 8;
    const int BlockSize = 24 << 20; // all of them together are above what the C library keeps unasked, 64 MB
    const int PageSize = 4096;

    [TestMethod]
    public void Keep_BlocksAreFreedAndAskedForAgain_TheSystemIsNotAskedForTheirPagesAgain()
    {
        if (!FreedMemory.Keep())
        {
            Assert.Inconclusive("This test needs the GNU C library, and an environment that does not set MALLOC_TRIM_THRESHOLD_ or MALLOC_MMAP_THRESHOLD_.");
        }

        UseAndFree();

        var before = PageFaults();
        for (var round = 0; round < 10; round++)
        {
            UseAndFree();
        }

        // Fewer than one round's pages, where giving back asks for them in each of the ten.
        Assert.IsLessThan(Blocks * (BlockSize / PageSize), PageFaults() - before);
    }

    static void UseAndFree()
    {
        var blocks = Enumerable.Range(0, Blocks).Select(_ => Marshal.AllocHGlobal(BlockSize)).ToArray();
        foreach (var block in blocks)
        {
            for (var at = 0; at < BlockSize; at += PageSize)
            {
                Marshal.WriteByte(block, at, 1);
            }
        }

        Array.ForEach(blocks, Marshal.FreeHGlobal);
    }

    /// <summary>This thread's, so that what other tests touch meanwhile does not count.</summary>
    static long PageFaults() => long.Parse(File.ReadAllText("/proc/thread-self/stat").Split(") ")[1].Split(' ')[7], CultureInfo.InvariantCulture);
}
