using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Tests.Runtime;

[TestClass]
public sealed class LatencyMeterTests
{
    static readonly SessionSettings Settings = new() { Threads = 1, Spinning = false };

    [TestMethod]
    public void Measure_TinyFamily_GivesEveryFieldAndEnoughSamples()
    {
        using var tiny = new TinyFamily();
        var family = tiny.Open();
        var steps = new Steps();

        var profile = new LatencyMeter().Measure(family, Settings, new MeasureOptions { Batch = 2, Seed = 5 }, steps);

        Assert.AreEqual("tiny", profile.Family);
        Assert.IsNull(profile.StaleBecause(family.Sha256, DeviceProbe.Read(), new RunConditions { Provider = "cpu", Threads = 1, Spinning = false, Batch = 2 }));
        Assert.AreEqual("quick", profile.Measurement.Mode);
        Assert.AreEqual(5, profile.Measurement.Seed);
        Assert.IsFalse(profile.Measurement.Spinning);
        Assert.AreEqual("large small", string.Join(' ', profile.Variants.Select(variant => variant.Id)));
        Assert.AreEqual("dense", profile.Dense!.Id);
        foreach (var latency in profile.Variants.Append(profile.Dense))
        {
            Assert.AreEqual(MeasureProtocol.RunsPerTurn * profile.Measurement.Rounds, latency.Steady.Samples);
            Assert.IsGreaterThanOrEqualTo(64, latency.Steady.Samples);
            Assert.IsGreaterThanOrEqualTo(1, latency.WarmUpRuns);
            Assert.IsGreaterThan(0.0, latency.LoadMs);
            Assert.IsGreaterThan(0.0, latency.FirstRunUs);
            Assert.IsNotNull(latency.Steady.P90UpperUs);
            Assert.IsNotNull(latency.PrivateBytes);
        }

        CollectionAssert.AreEqual(steps.Shares.Order().ToArray(), steps.Shares);
        Assert.AreEqual(1.0, steps.Shares[^1]);
    }

    [TestMethod]
    public void Calibrate_ALimitThatEverythingKeeps_MeasuresWhatTheChoiceNeeds()
    {
        using var tiny = new TinyFamily();
        var family = tiny.Open();
        var level = new ServiceLevel { MaxLatency = TimeSpan.FromSeconds(5) };

        var profile = new LatencyMeter().Calibrate(family, Settings, level, new MeasureOptions());
        var selection = VariantSelector.Select(family.Manifest, profile, level);

        Assert.AreEqual("calibrated", profile.Measurement.Mode);
        Assert.AreEqual(("large", true), (selection.Variant.Id, selection.Fits));
        Assert.IsGreaterThanOrEqualTo(64, selection.Latency.Steady.Samples);
    }

    [TestMethod]
    public void Measure_WithoutTheDenseBaseline_MeasuresTheVariants()
    {
        using var tiny = new TinyFamily();
        File.Delete(tiny["dense.onnx"]);

        var profile = new LatencyMeter().Measure(tiny.Open(), Settings, new MeasureOptions());

        Assert.IsNull(profile.Dense);
        Assert.HasCount(2, profile.Variants);
    }

    [TestMethod]
    public void Measure_Cancelled_Stops()
    {
        using var tiny = new TinyFamily();

        Assert.ThrowsExactly<OperationCanceledException>(() => new LatencyMeter().Measure(
            tiny.Open(), Settings, new MeasureOptions(), cancellation: new CancellationToken(canceled: true)));
    }

    sealed class Steps : IProgress<MeasureProgress>
    {
        public List<double> Shares { get; } = [];

        public void Report(MeasureProgress value) => Shares.Add(value.Share);
    }
}
