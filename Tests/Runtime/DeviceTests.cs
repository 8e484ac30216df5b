using MaestroDeploy.Runtime;

namespace MaestroDeploy.Tests.Runtime;

[TestClass]
public sealed class DeviceTests
{
    [TestMethod]
    [DataRow("cpu", "cpu")]
    [DataRow("cuda", "cuda:0")]
    [DataRow("cuda:3", "cuda:3")]
    public void Parse_ADevice_IsThatDevice(string text, string expected) => Assert.AreEqual(expected, Device.Parse(text).ToString());

    [TestMethod]
    [DataRow("")]
    [DataRow("CPU")]
    [DataRow("cuda:")]
    [DataRow("cuda:-1")]
    [DataRow("cuda: 1")]
    [DataRow("cuda:99999999999")]
    [DataRow("tpu")]
    public void Parse_AnythingElse_IsRefusedNamingIt(string text) =>
        Assert.Contains($"'{text}'", Assert.ThrowsExactly<ArgumentException>(() => Device.Parse(text)).Message);

    [TestMethod]
    [DataRow(0)]
    [DataRow(1_000_000_000)]
    public void Settings_ThreadsOutOfRange_AreRefused(int threads) =>
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new SessionSettings { Threads = threads });

    [TestMethod]
    public void Probe_ThisMachine_IsDescribed()
    {
        var device = DeviceProbe.Read();

        Assert.AreEqual(Environment.ProcessorCount, device.Cores);
        Assert.IsGreaterThan(0L, device.MemoryBytes);
        Assert.IsNull(device.DifferenceFrom(DeviceProbe.Read()));
    }

    [TestMethod]
    public void Probe_SystemFiles_AreRead()
    {
        using var root = SystemFiles(
            ("proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU @ 3.00GHz\n\nprocessor\t: 1\nmodel name\t: Other\n"),
            ("proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: \t\t Some GPU\nIRQ: 1\n"),
            ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n"),
            ("sys/fs/cgroup/cpu.max", "200000 100000\n"));

        var device = DeviceProbe.Read(root.Path);

        Assert.AreEqual("Some CPU @ 3.00GHz", device.Cpu);
        Assert.AreEqual("some-cpu-3-00ghz", device.Name);
        Assert.AreEqual("Some GPU", device.Gpu);
        Assert.AreEqual("powersave", device.Governor);
        Assert.AreEqual("200000 100000", device.CgroupCpuLimit);
    }

    [TestMethod]
    public void Probe_CoresWithoutAModelName_AreToldByTheirBoardAndTheirNumbers()
    {
        const string Cores = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n\nprocessor\t: 1\nCPU implementer\t: 0x41\nCPU part\t: 0xd03\n";
        using var bare = SystemFiles(("proc/cpuinfo", Cores));
        using var board = SystemFiles(("proc/cpuinfo", Cores), ("proc/device-tree/model", "Some Board Rev 1.4\0"));

        Assert.AreEqual("cores 0x41 0xd03 0xd08", DeviceProbe.Read(bare.Path).Cpu);
        Assert.AreEqual("Some Board Rev 1.4, cores 0x41 0xd03 0xd08", DeviceProbe.Read(board.Path).Cpu);
        Assert.AreEqual("some-board-rev-1-4-cores-0x41-0xd03-0xd08", DeviceProbe.Read(board.Path).Name);
    }

    [TestMethod]
    [DataRow("sys/fs/cgroup/cpu.max", "max 100000", null)]
    [DataRow("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1", null)]
    [DataRow("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000", "50000")]
    public void Probe_CgroupLimit_IsNullWithoutOne(string file, string text, string? expected)
    {
        using var root = SystemFiles((file, text));

        Assert.AreEqual(expected, DeviceProbe.Read(root.Path).CgroupCpuLimit);
    }

    static TemporaryFolder SystemFiles(params (string Path, string Text)[] files)
    {
        var root = new TemporaryFolder();
        foreach (var (path, text) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(root[path])!);
            root.Write(path, text);
        }

        return root;
    }
}
