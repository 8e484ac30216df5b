using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using MaestroDeploy.Data;

namespace MaestroDeploy.Tests.Data;

[TestClass]
public sealed class DataDownloadTests : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    static readonly byte[] Content = [.. Enumerable.Range(0, 1000).Select(i => (byte)(i * i))];
    static readonly byte[] Packed = Bytes.Gzip(Content);

    // One gzipped file, at two mirrors.
    static readonly PublicSet Letters = new("letters", "letters",
        [new Package("a.gz", ["https://one.test/", "https://two.test/"], [Published("a", Content)])]);

    // Two files in an archive, at one mirror.
    static readonly PublicSet Archive = new("archive", "records",
        [new Package("all.tar.gz", ["https://one.test/"], [Published("a.bin", Content), Published("b.bin", [1, 2, 3])])]);

    readonly TemporaryFolder _folder = new();
    readonly FakeMirrors _mirrors = new();

    public void Dispose()
    {
        _mirrors.Dispose();
        _folder.Dispose();
    }

    [TestMethod]
    public async Task GetAsync_NothingThere_PlacesTheUncompressedFile()
    {
        _mirrors.Serve("https://one.test/a.gz", Packed);

        var set = await GetAsync(Letters);

        Assert.IsFalse(set.WasAlreadyThere);
        CollectionAssert.AreEqual(new[] { "letters/a" }, Files());
        CollectionAssert.AreEqual(Content, Read("letters/a"));
    }

    [TestMethod]
    public async Task GetAsync_ASetThatIsWhole_AsksNobody()
    {
        _folder.Write("letters/a", Content);

        var set = await GetAsync(Letters);

        Assert.IsTrue(set.WasAlreadyThere);
        Assert.IsEmpty(_mirrors.Asked);
    }

    [TestMethod]
    public async Task GetAsync_AFileThatIsDamaged_IsReplaced()
    {
        _folder.Write("letters/a", [1]);
        _mirrors.Serve("https://one.test/a.gz", Packed);

        await GetAsync(Letters);

        CollectionAssert.AreEqual(Content, Read("letters/a"));
    }

    [TestMethod]
    public async Task GetAsync_APartIsThere_AsksForTheRestOnly()
    {
        _folder.Write("letters/a.gz.part", Packed[..20]);
        _mirrors.Serve("https://one.test/a.gz", Packed);

        await GetAsync(Letters);

        CollectionAssert.AreEqual(new[] { "https://one.test/a.gz bytes=20-" }, _mirrors.Asked);
        CollectionAssert.AreEqual(Content, Read("letters/a"));
    }

    [TestMethod]
    public async Task GetAsync_APartThatIsAllOfIt_IsUsedAsItIs()
    {
        _folder.Write("letters/a.gz.part", Packed);
        _mirrors.Serve("https://one.test/a.gz", Packed);

        await GetAsync(Letters);

        CollectionAssert.AreEqual(new[] { $"https://one.test/a.gz bytes={Packed.Length}-" }, _mirrors.Asked);
        CollectionAssert.AreEqual(new[] { "letters/a" }, Files());
    }

    [TestMethod]
    public async Task GetAsync_AServerThatIgnoresTheRange_StartsOver()
    {
        _folder.Write("letters/a.gz.part", Packed[..20]);
        _mirrors.Serve("https://one.test/a.gz", Packed, ranges: false);

        await GetAsync(Letters);

        Assert.HasCount(1, _mirrors.Asked);
        CollectionAssert.AreEqual(Content, Read("letters/a"));
    }

    [TestMethod]
    [DataRow(20, DisplayName = "shorter than the file")]
    [DataRow(5000, DisplayName = "longer than the file")]
    public async Task GetAsync_APartOfSomethingElse_IsThrownAwayAndFetchedAnew(int length)
    {
        _folder.Write("letters/a.gz.part", new byte[length]);
        _mirrors.Serve("https://one.test/a.gz", Packed);

        await GetAsync(Letters);

        CollectionAssert.AreEqual(new[] { $"https://one.test/a.gz bytes={length}-", "https://one.test/a.gz" }, _mirrors.Asked);
        CollectionAssert.AreEqual(Content, Read("letters/a"));
    }

    [TestMethod]
    public async Task GetAsync_AFirstMirrorThatFails_GoesOnToTheSecond()
    {
        _mirrors.Serve("https://two.test/a.gz", Packed);

        await GetAsync(Letters);

        CollectionAssert.AreEqual(new[] { "https://one.test/a.gz", "https://two.test/a.gz" }, _mirrors.Asked);
        CollectionAssert.AreEqual(Content, Read("letters/a"));
    }

    [TestMethod]
    public async Task GetAsync_AFirstMirrorThatBreaksOff_LetsTheSecondGoOnFromThere()
    {
        _mirrors.Answer("https://one.test/a.gz", () => new BrokenStream(Packed[..20]));
        _mirrors.Serve("https://two.test/a.gz", Packed);

        await GetAsync(Letters);

        CollectionAssert.AreEqual(new[] { "https://one.test/a.gz", "https://two.test/a.gz bytes=20-" }, _mirrors.Asked);
        CollectionAssert.AreEqual(Content, Read("letters/a"));
    }

    [TestMethod]
    public async Task GetAsync_AFirstMirrorWithOtherBytes_IsRefusedForTheSecond()
    {
        _mirrors.Serve("https://one.test/a.gz", Bytes.Gzip([.. Content[1..], 0]));
        _mirrors.Serve("https://two.test/a.gz", Packed);

        await GetAsync(Letters);

        CollectionAssert.AreEqual(new[] { "https://one.test/a.gz", "https://two.test/a.gz" }, _mirrors.Asked);
        CollectionAssert.AreEqual(Content, Read("letters/a"));
    }

    [TestMethod]
    public async Task GetAsync_OnlyOtherBytesAnywhere_PlacesNothingAndSaysWhyForEachMirror()
    {
        _mirrors.Serve("https://one.test/a.gz", Bytes.Gzip([.. Content[1..], 0]));
        _mirrors.Serve("https://two.test/a.gz", Bytes.Gzip([.. Content, 0]));

        var error = await Assert.ThrowsExactlyAsync<DataFormatException>(() => GetAsync(Letters));

        StringAssert.Contains(error.Message, "https://one.test/: a should have SHA-256");
        StringAssert.Contains(error.Message, "https://two.test/: There is more in it than the 1,000 bytes");
        Assert.IsEmpty(Files());
    }

    [TestMethod]
    public async Task GetAsync_AMirrorThatNeverEnds_IsCutOffAndLeavesNothing()
    {
        _mirrors.Answer("https://one.test/a.gz", () => new EndlessStream());

        var error = await Assert.ThrowsExactlyAsync<DataFormatException>(() => GetAsync(Letters));

        StringAssert.Contains(error.Message, "There is more in it");
        Assert.IsEmpty(Files());
    }

    [TestMethod]
    public async Task GetAsync_AMirrorThatFallsSilent_IsLeftForTheNext()
    {
        _mirrors.Answer("https://one.test/a.gz", () => new SilentStream());
        _mirrors.Serve("https://two.test/a.gz", Packed);

        await GetAsync(Letters, patience: TimeSpan.FromMilliseconds(20));

        CollectionAssert.AreEqual(Content, Read("letters/a"));
    }

    [TestMethod]
    public async Task GetAsync_Cancelled_LeavesOnlyThePart()
    {
        using var cancel = new CancellationTokenSource();
        _mirrors.Answer("https://one.test/a.gz", () => new SilentStream(Packed[..20]));
        var progress = new Report(_ => cancel.Cancel());

        await Assert.ThrowsAsync<OperationCanceledException>(() => GetAsync(Letters, progress, cancellationToken: cancel.Token));

        CollectionAssert.AreEqual(new[] { "letters/a.gz.part" }, Files());
        CollectionAssert.AreEqual(Packed[..20], Read("letters/a.gz.part"));
    }

    [TestMethod]
    public async Task GetAsync_Resumed_ReportsTheBytesOfBothAttempts()
    {
        _folder.Write("letters/a.gz.part", Packed[..20]);
        _mirrors.Serve("https://one.test/a.gz", Packed);
        var reports = new List<DownloadProgress>();

        await GetAsync(Letters, new Report(reports.Add));

        Assert.AreEqual(new DownloadProgress("a.gz", Packed.Length, Packed.Length), reports[^1]);
    }

    [TestMethod]
    public async Task GetAsync_AnArchive_PlacesItsKnownFilesOnly()
    {
        var tar = Tar(("records/readme.txt", [9]), ("records/a.bin", Content), ("records/b.bin", [1, 2, 3]));
        _mirrors.Serve("https://one.test/all.tar.gz", Bytes.Gzip(tar));

        await GetAsync(Archive);

        CollectionAssert.AreEqual(new[] { "records/a.bin", "records/b.bin" }, Files());
    }

    [TestMethod]
    [DataRow("../b.bin", DisplayName = "the folder above")]
    [DataRow("records/../../b.bin", DisplayName = "the folder above, from within")]
    [DataRow("/tmp/b.bin", DisplayName = "an absolute path")]
    public async Task GetAsync_AnArchiveThatTriesToEscape_WritesNothingAnywhere(string escape)
    {
        _mirrors.Serve("https://one.test/all.tar.gz", Bytes.Gzip(Tar(("records/a.bin", Content), (escape, [1, 2, 3]))));

        var error = await Assert.ThrowsExactlyAsync<DataFormatException>(() => GetAsync(Archive));

        StringAssert.Contains(error.Message, "b.bin should have SHA-256");
        Assert.IsEmpty(Files());
    }

    [TestMethod]
    public async Task GetAsync_AnArchiveWithALinkInPlaceOfAFile_IsRefused()
    {
        using var packed = new MemoryStream();
        using (var tar = new TarWriter(packed, leaveOpen: true))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "records/a.bin") { LinkName = "/etc/hostname" });
        }

        _mirrors.Serve("https://one.test/all.tar.gz", Bytes.Gzip(packed.ToArray()));

        await Assert.ThrowsExactlyAsync<DataFormatException>(() => GetAsync(Archive));
    }

    [TestMethod]
    public async Task GetAsync_AnArchiveThatUnfoldsWithoutEnd_IsRefused()
    {
        _mirrors.Serve("https://one.test/all.tar.gz", Bytes.Gzip(Tar(("records/other", new byte[4 << 20]))));

        var error = await Assert.ThrowsExactlyAsync<DataFormatException>(() => GetAsync(Archive));

        StringAssert.Contains(error.Message, "There is more in it");
    }

    [TestMethod]
    public async Task GetAsync_AnArchiveCutAnywhere_IsRefused()
    {
        var tar = Bytes.Gzip(Tar(("records/a.bin", Content), ("records/b.bin", [1, 2, 3])));
        for (var length = 0; length < tar.Length; length += 37)
        {
            var cut = new PublicSet("cut", "records", [Archive.Packages[0] with { Mirrors = [$"https://cut{length}.test/"] }]);
            _mirrors.Serve($"https://cut{length}.test/all.tar.gz", tar[..length]);

            try
            {
                await GetAsync(cut);
                CollectionAssert.AreEqual(Content, Read("records/a.bin")); // only the end of the archive was lost, and no file
                File.Delete(Path.Combine(_folder.Path, "records", "a.bin"));
                File.Delete(Path.Combine(_folder.Path, "records", "b.bin"));
            }
            catch (DataFormatException)
            {
                Assert.IsEmpty(Files());
            }
        }
    }

    [TestMethod]
    public async Task GetAsync_AnEntrysHeaderChanged_IsReadOrRefusedAndNothingElse()
    {
        var tar = Tar(("records/a.bin", Content), ("records/b.bin", [1, 2, 3]));
        for (var at = 100; at < 160; at++) // from its mode on, over its size, to its type
        {
            var changed = tar.ToArray();
            changed[at] ^= 0x01;
            WriteHeaderChecksum(changed);
            _mirrors.Serve("https://one.test/all.tar.gz", Bytes.Gzip(changed));
            try
            {
                await GetAsync(Archive);
                File.Delete(Path.Combine(_folder.Path, "records", "a.bin"));
            }
            catch (DataFormatException)
            {
            }
        }

        CollectionAssert.IsSubsetOf(Files(), new[] { "records/b.bin" });
    }

    [TestMethod]
    public async Task GetAsync_ASetThatCannotBeFetched_NamesThoseThatCan()
    {
        var error = await Assert.ThrowsExactlyAsync<ArgumentException>(() => DataDownload.GetAsync("digits", _folder.Path));

        StringAssert.Contains(error.Message, "mnist, fashion-mnist, cifar10");
    }

    [TestMethod]
    public void PublicSets_EveryPackage_HasSeveralMirrorsAllOverHttps()
    {
        foreach (var package in PublicSets.All.SelectMany(set => set.Packages))
        {
            Assert.IsGreaterThan(1, package.Mirrors.Length, package.Name);
            Assert.IsTrue(package.Mirrors.All(mirror => new Uri(mirror).Scheme == Uri.UriSchemeHttps), package.Name);
        }
    }

    [TestMethod]
    public void PublicSets_TheirSums_AreThoseOfTheSharedTool()
    {
        var expected = File.ReadAllLines(SharedFolder.Require("tools", "data.sha256"));

        var known = PublicSets.All.SelectMany(set =>
            set.Packages.SelectMany(package => package.Files).Select(file => $"{file.Sha256}  {set.Folder}/{file.Name}"));

        CollectionAssert.AreEquivalent(expected, known.ToArray());
    }

    Task<DownloadedSet> GetAsync(
        PublicSet set, IProgress<DownloadProgress>? progress = null, TimeSpan? patience = null,
        CancellationToken cancellationToken = default) =>
        DataDownload.GetAsync(set, _folder.Path, progress, _mirrors, patience ?? Patience, cancellationToken);

    /// <summary>Every file and every folder but those of the sets, so that nothing forgotten goes unseen.</summary>
    string[] Files() => [.. Directory.EnumerateFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(_folder.Path, path).Replace('\\', '/'))
        .Except(["letters", "records"]).Order(StringComparer.Ordinal)];

    byte[] Read(string name) => File.ReadAllBytes(Path.Combine(_folder.Path, name));

    static PublicFile Published(string name, byte[] content) =>
        new(name, content.Length, Convert.ToHexStringLower(SHA256.HashData(content)));

    static byte[] Tar(params (string Name, byte[] Content)[] entries)
    {
        using var packed = new MemoryStream();
        using (var tar = new TarWriter(packed, leaveOpen: true))
        {
            foreach (var (name, content) in entries)
            {
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
            }
        }

        return packed.ToArray();
    }

    /// <summary>Makes the first header's checksum right again: the sum of its bytes, in octal, its own eight taken as spaces.</summary>
    static void WriteHeaderChecksum(byte[] tar)
    {
        tar.AsSpan(148, 8).Fill((byte)' ');
        Encoding.ASCII.GetBytes(Convert.ToString(tar.Take(512).Sum(value => value), 8).PadLeft(6, '0') + '\0', tar.AsSpan(148));
    }

    /// <summary>Hears at once, where <see cref="Progress{T}"/> would hear later and on another thread.</summary>
    sealed class Report(Action<DownloadProgress> heard) : IProgress<DownloadProgress>
    {
        void IProgress<DownloadProgress>.Report(DownloadProgress value) => heard(value);
    }
}
