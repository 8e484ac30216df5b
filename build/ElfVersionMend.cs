using System;
using System.IO;
using System.Text;

namespace MaestroDeploy.Build;

/// <summary>
/// Marks one version that an ELF shared library asks of another as weak, so that the loader accepts a system without it.
/// </summary>
/// <remarks>
/// TorchSharp 0.107's libLibTorchSharp.so asks libstdc++ for GLIBCXX_3.4.32 on account of one symbol that no
/// relocation uses, and so fails to load on Debian 12 and Ubuntu 22.04. A weak version that is missing is passed over;
/// one that is there is used as before. Layouts: System V ABI, and "Symbol Versioning" in the Linux Standard Base.
/// Only what netstandard2.0 has is used here: MSBuild compiles this file as an inline task, and Tests links it.
/// </remarks>
public static class ElfVersionMend
{
    const uint SectionTypeVersionNeeded = 0x6ffffffe; // SHT_GNU_verneed
    const ushort WeakVersion = 2;                     // VER_FLG_WEAK

    /// <summary>Sets the weak flag on every need of <paramref name="version"/> in a 64-bit little-endian ELF image.</summary>
    /// <returns>How many entries changed; 0 where the image is not such a library, lacks the version, or is mended already.</returns>
    public static int MarkWeak(byte[] image, string version)
    {
        var isElf64 = image.Length > 64 && image[0] == 0x7f && image[1] == 'E' && image[2] == 'L' && image[3] == 'F' && image[4] == 2 && image[5] == 1;
        if (!isElf64)
        {
            return 0;
        }

        var sections = (int)BitConverter.ToInt64(image, 0x28);
        int sectionSize = BitConverter.ToUInt16(image, 0x3a), sectionCount = BitConverter.ToUInt16(image, 0x3c);
        var changed = 0;
        for (var i = 0; i < sectionCount; i++)
        {
            var section = sections + i * sectionSize;
            if (BitConverter.ToUInt32(image, section + 4) == SectionTypeVersionNeeded)
            {
                var names = sections + BitConverter.ToInt32(image, section + 40) * sectionSize;
                changed += MarkSection(image, (int)BitConverter.ToInt64(image, section + 24), (int)BitConverter.ToInt64(image, names + 24), version);
            }
        }

        return changed;
    }

    static int MarkSection(byte[] image, int need, int names, string version)
    {
        var changed = 0;
        while (true)
        {
            int auxiliaries = BitConverter.ToUInt16(image, need + 2), auxiliary = need + BitConverter.ToInt32(image, need + 8);
            for (var i = 0; i < auxiliaries; i++)
            {
                var flags = BitConverter.ToUInt16(image, auxiliary + 4);
                if (NameAt(image, names + BitConverter.ToInt32(image, auxiliary + 8)) == version && (flags & WeakVersion) == 0)
                {
                    BitConverter.GetBytes((ushort)(flags | WeakVersion)).CopyTo(image, auxiliary + 4);
                    changed++;
                }

                auxiliary += BitConverter.ToInt32(image, auxiliary + 12);
            }

            var next = BitConverter.ToInt32(image, need + 12);
            if (next == 0)
            {
                return changed;
            }

            need += next;
        }
    }

    static string NameAt(byte[] image, int start)
    {
        var end = Array.IndexOf(image, (byte)0, start);
        return Encoding.ASCII.GetString(image, start, end - start);
    }
}

#if !LINKED_INTO_TESTS
/// <summary>Mends the copies of a library that a build put into its output, never the package's own file.</summary>
public sealed class MendElfVersion : Microsoft.Build.Utilities.Task
{
    /// <summary>The copies to mend; one that does not exist is passed over.</summary>
    [Microsoft.Build.Framework.Required]
    public Microsoft.Build.Framework.ITaskItem[] Files { get; set; }

    /// <summary>The version to mark weak, such as GLIBCXX_3.4.32.</summary>
    [Microsoft.Build.Framework.Required]
    public string Version { get; set; }

    /// <summary>Rewrites each copy that needs it through a new file and a rename, so that a hard link into the package cache stays as it was.</summary>
    public override bool Execute()
    {
        foreach (var item in Files)
        {
            var path = item.ItemSpec;
            if (!File.Exists(path))
            {
                continue;
            }

            var image = File.ReadAllBytes(path);
            if (ElfVersionMend.MarkWeak(image, Version) > 0)
            {
                // The same time as the original: the next build then sees an up-to-date copy and leaves it.
                var written = File.GetLastWriteTimeUtc(path);
                File.WriteAllBytes(path + ".mended", image);
                File.SetLastWriteTimeUtc(path + ".mended", written);
                File.Delete(path);
                File.Move(path + ".mended", path);
                Log.LogMessage(Microsoft.Build.Framework.MessageImportance.Normal, "{0}: {1} marked weak", path, Version);
            }
        }

        return true;
    }
}
#endif
