using System.Formats.Tar;
using MaestroDeploy.Data;
using MaestroDeploy.Exporter;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Tests.Exporter;

/// <summary>Models that others trained reach the accuracy that is known of them, once it is named how they are fed.</summary>
[TestClass]
public sealed class ForeignClassifierTests
{
    // The figures are rounded to a hundredth or a tenth of a percent, and a sample on the edge may fall either way on another processor.
    const double Tolerance = 0.0012;

    static readonly SampleFormat Unit = new() { Scale = 1.0 / 255 };

    static readonly Dictionary<string, SampleFormat> Formats = new()
    {
        ["flat"] = Unit with { Layout = SampleLayout.Flat },
        ["unit"] = Unit,
        ["raw"] = new SampleFormat { Scale = 1 },
        ["last"] = Unit with { Layout = SampleLayout.Nhwc },
        ["kw"] = Unit with { Mean = [0.485, 0.456, 0.406], Std = [0.225] },
        ["resnet"] = Unit with { Mean = [0.4914, 0.4822, 0.4465], Std = [0.2471, 0.2435, 0.2616] },
        ["vit"] = Unit with { Mean = [0.4914, 0.4822, 0.4465], Std = [0.2023, 0.1994, 0.2010] },
        ["caffe"] = new SampleFormat { Scale = 1, Channels = ChannelOrder.Bgr, Mean = [103.94, 116.78, 123.68] },
    };

    [TestMethod]
    [DataRow("mnist-net_256x2", "mnist", "flat", 0.9808)]
    [DataRow("mnist-net_256x6", "mnist", "flat", 0.9689)]
    [DataRow("mnist_relu_9_200", "mnist", "unit", 0.9495)]
    [DataRow("ffnnSIGMOID__Point_6x200", "mnist", "unit", 0.9766)]
    [DataRow("mnist-8", "mnist", "raw", 0.9891)]
    [DataRow("cifar10_small", "cifar10", "last", 0.631)]
    [DataRow("cifar10_large", "cifar10", "last", 0.742)]
    [DataRow("cifar_base_kw", "cifar10", "kw", 0.585)]
    [DataRow("cifar_wide_kw", "cifar10", "kw", 0.616)]
    [DataRow("resnet_2b", "cifar10", "resnet", 0.6925)]
    [DataRow("sri_resnet_a", "cifar10", "resnet", 0.799)]
    [DataRow("vit_ibp_3_3_8", "cifar10", "vit", 0.622)]
    public void Measure_AForeignClassifierFedAsItWants_IsItsKnownAccuracy(string model, string data, string format, double accuracy)
    {
        var path = SharedFolder.Require("models", $"{model}.onnx");
        var set = Load(data);

        using var session = new ModelSession(path, new SessionSettings { Threads = 1 });
        var quality = new LabelledSamples(set.As(Formats[format])).Measure(session);

        Assert.AreEqual(accuracy, quality.Accuracy, Tolerance);
        Assert.AreEqual(set.Test.Count, quality.Samples);
    }

    [TestMethod]
    public void Measure_AModelOfHalfPrecisionOnImageFiles_IsItsKnownAccuracy()
    {
        var path = SharedFolder.Require("models", "SqueezeNet_fp16.onnx");
        using var folder = new TemporaryFolder();
        UnpackSample(SharedFolder.Require("data", "imagenet-sample-256.tar"), folder);

        using var session = new ModelSession(path);
        var quality = new LabelledSamples(DataSets.Load($"images:{folder.Path}:224").As(Formats["caffe"])).Measure(session);

        // 60.4 % here. The 61.3 % were measured through another decoder of JPEG, whose colours may differ.
        const double OtherDecoder = 0.012;
        Assert.AreEqual(0.613, quality.Accuracy, OtherDecoder);
    }

    [TestMethod]
    [DataRow("cifar10_small", "cifar10", "--layout nhwc")]
    [DataRow("mnist-net_256x6", "mnist", "--layout flat")]
    [DataRow("cifar10_small", "mnist", "no layout")]
    public void Measure_SamplesOfAnotherShape_NamesTheOptionAndGuessesNothing(string model, string data, string hint)
    {
        var path = SharedFolder.Require("models", $"{model}.onnx");
        var set = Load(data);

        using var session = new ModelSession(path, new SessionSettings { Threads = 1 });
        var refused = Assert.ThrowsExactly<ExportException>(() => new LabelledSamples(set).Measure(session));

        Assert.Contains(hint, refused.Message);
    }

    /// <summary>One image a class, in the order of the names, which is that of ImageNet's classes: measured on, and here also the set to train on.</summary>
    static void UnpackSample(string archive, TemporaryFolder folder)
    {
        using var file = File.OpenRead(archive);
        using var tar = new TarReader(file);
        while (tar.GetNextEntry() is { } entry)
        {
            var name = Path.GetFileName(entry.Name);
            foreach (var split in name.EndsWith(".jpg", StringComparison.OrdinalIgnoreCase) ? new[] { "train", "val" } : [])
            {
                var place = Directory.CreateDirectory(folder[$"{split}/{Path.GetFileNameWithoutExtension(name)}"]);
                using var image = File.Create(Path.Combine(place.FullName, name));
                entry.DataStream!.Position = 0;
                entry.DataStream.CopyTo(image);
            }
        }
    }

    static DataSet Load(string name)
    {
        try
        {
            return DataSets.Load(name);
        }
        catch (DataFormatException e)
        {
            Assert.Inconclusive($"This test needs a public set: {e.Message}");
            throw;
        }
    }
}
