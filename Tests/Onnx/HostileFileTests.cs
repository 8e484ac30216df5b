using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Cost;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Tests.Onnx;

/// <summary>Damaged files are processed, or refused as what they are: no other exception, no long work, no memory that the file does not account for.</summary>
[TestClass]
public sealed class HostileFileTests
{
    // What all steps together may allocate beside a multiple of the file: graphs are copied and walked several times.
    const long MostBytes = 64 << 20, MostBytesForOne = 60;

    static readonly string[] Models = ["ACASXU_run2a_1_1_batch_2000", "mnist-8", "vit_ibp_3_3_8", "cifar10_small", "resnet_2b", "pytorch_super_resolution"];

    TimeSpan _slowest;
    int _refused;

    public required TestContext TestContext { get; init; }

    // The suite runs few; MAESTRO_HOSTILE_ROUNDS asks for more.
    static int Rounds => int.TryParse(Environment.GetEnvironmentVariable("MAESTRO_HOSTILE_ROUNDS"), CultureInfo.InvariantCulture, out var rounds) ? rounds : 300;

    [TestMethod]
    public void LoadFindCountFactor_DamagedForeignModels_AreProcessedOrRefused()
    {
        var originals = Models.Select(name => File.ReadAllBytes(SharedFolder.Require("models", $"{name}.onnx"))).ToArray();
        using var folder = new TemporaryFolder();
        for (var round = 0; round < Rounds; round++)
        {
            Try(folder.Write("m.onnx", Damaged(originals[round % originals.Length], round)), round);
        }

        Assert.IsLessThan(Rounds, _refused, "some damage leaves a model that can be read");
    }

    [TestMethod]
    public void LoadFindCountFactor_DamagedModelsOfOurOwn_AreProcessedOrRefused()
    {
        using var folder = new TemporaryFolder();
        SmallModels.Convolutions.Save(folder["whole.lod.onnx"]);
        for (var round = 0; round < Rounds / 6; round++)
        {
            var lod = LodModel.Load(folder["whole.lod.onnx"]);
            new Mutator(round).Model(lod.Model.Proto);
            lod.Save(folder["m.lod.onnx"]); // with a digest that fits the damage
            Try(folder["m.lod.onnx"], round);
            Try(folder.Write("m.onnx", new Mutator(round).Bytes(File.ReadAllBytes(folder["whole.lod.onnx"]))), round);
        }
    }

    [TestCleanup]
    public void Tell() => TestContext.WriteLine($"{_refused} files refused; the slowest took {_slowest.TotalMilliseconds:0} ms");

    static byte[] Damaged(byte[] original, int round)
    {
        var mutator = new Mutator(round);
        if (round / Models.Length % 2 == 0)
        {
            return mutator.Bytes(original);
        }

        var model = MaestroDeploy.Onnx.Protos.ModelProto.Parser.ParseFrom(original);
        mutator.Model(model);
        return model.ToByteArray();
    }

    void Try(string file, int round)
    {
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var refused = false;
        var clock = Stopwatch.StartNew();
        try
        {
            Process(OnnxModel.Load(file));
        }
        catch (OnnxFormatException)
        {
            refused = true;
        }
        catch (Exception e)
        {
            throw new AssertFailedException($"round {round}: {e}");
        }

        _slowest = clock.Elapsed > _slowest ? clock.Elapsed : _slowest;
        _refused += refused ? 1 : 0;
        Assert.IsLessThan(MostBytes + MostBytesForOne * new FileInfo(file).Length, GC.GetAllocatedBytesForCurrentThread() - allocated, $"bytes in round {round}");
    }

    static void Process(OnnxModel model)
    {
        WeightLayers.Find(model, out _);
        ModelCost.Of(model);
        if (LodModel.IsLod(model))
        {
            var cost = LodModel.Of(model).Cost();
            cost.At([.. cost.Layers.Select(_ => 1)]);
        }

        if (ModelCost.Of(model).Params < 20_000)
        {
            SvdFactoring.Factor(model, new LodProvenance()).Cost();
        }
    }
}
