using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;
using TorchSharp;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;

namespace MaestroDeploy.Tests.Compressor.Graph;

/// <summary>ONNX's own operator tests: models with inputs and the outputs that they must give.</summary>
/// <remarks>Source: onnx/backend/test/data of the ONNX project, which Debian packs as libonnx-testdata.</remarks>
static class OnnxSuite
{
    // The tolerances of ONNX's own runner: onnx/backend/test/runner and loader, `rtol=1e-3, atol=1e-7`.
    const double Relative = 1e-3, Absolute = 1e-7;

    const string Installed = "/usr/share/libonnx-testdata/data", Elsewhere = "ONNX_TEST_DATA";

    static readonly DataType[] Types = [DataType.Float, DataType.Double, DataType.Int64, DataType.Int32, DataType.Bool];

    /// <summary>How one test came out.</summary>
    /// <param name="Name">Its folder's name.</param>
    /// <param name="Operators">The operators of its model.</param>
    /// <param name="Failure">What is wrong; null where it passed.</param>
    /// <param name="IsRefused">Whether the model was refused when it was compiled.</param>
    public sealed record Outcome(string Name, IReadOnlySet<string> Operators, string? Failure, bool IsRefused);

    static readonly Lazy<IReadOnlyList<Outcome>?> All = new(() => Folder() is { } folder ? [.. Models(folder).Select(Run)] : null);

    /// <summary>Every test on real and whole numbers whose model has supported operators alone; the calling test is inconclusive where there are none.</summary>
    public static IReadOnlyList<Outcome> Outcomes()
    {
        if (All.Value is not { } outcomes)
        {
            Assert.Inconclusive($"This test needs ONNX's operator tests: install the Debian package libonnx-testdata, or unpack it and let {Elsewhere} name its folder data.");
            return [];
        }

        return outcomes;
    }

    static string? Folder() => new[] { Environment.GetEnvironmentVariable(Elsewhere), Installed }.FirstOrDefault(Directory.Exists);

    static IEnumerable<(string Folder, OnnxModel Model)> Models(string folder) => Directory.EnumerateFiles(folder, "model.onnx", SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal)
        .Select(path => (Path.GetDirectoryName(path)!, OnnxModel.Load(path)))
        .Where(test => IsOfSupportedParts(test.Item2));

    static bool IsOfSupportedParts(OnnxModel model) => model.Inputs.Any()
        && model.Graph.Node.All(node => node.Domain is "" or "ai.onnx" && TrainableGraph.SupportedOperators.Contains(node.OpType))
        && model.Graph.Input.Concat(model.Graph.Output).All(value => Types.Contains((DataType)(value.Type.TensorType?.ElemType ?? 0)));

    static Outcome Run((string Folder, OnnxModel Model) test)
    {
        var operators = test.Model.Graph.Node.Select(node => node.OpType).ToHashSet();
        var name = Path.GetFileName(test.Folder);
        var before = torch.Tensor.TotalCount;
        try
        {
            var failure = Compare(test.Model, Path.Combine(test.Folder, "test_data_set_0"));
            var alive = torch.Tensor.TotalCount - before;
            return new Outcome(name, operators, failure ?? (alive == 0 ? null : $"it leaves {alive} tensors alive"), false);
        }
        catch (UntrainableModelException e)
        {
            return new Outcome(name, operators, e.Message, true);
        }
        catch (Exception e) when (e is not AssertFailedException)
        {
            return new Outcome(name, operators, $"{e.GetType().Name}: {e.Message}", false);
        }
    }

    static string? Compare(OnnxModel model, string data)
    {
        using var scope = torch.NewDisposeScope();
        using var graph = new TrainableGraph(new LodModel(model, [], new LodProvenance()));
        var inputs = model.Inputs.Select((_, i) => Load(model, Path.Combine(data, $"input_{i}.pb"))).ToList();
        return graph.Outputs(inputs)
            .Select((output, i) => Difference(Load(model, Path.Combine(data, $"output_{i}.pb")), output))
            .FirstOrDefault(difference => difference is not null);
    }

    static torch.Tensor Load(OnnxModel model, string path) => NativeTensor.From(model, TensorProto.Parser.ParseFrom(File.ReadAllBytes(path)));

    static string? Difference(torch.Tensor expected, torch.Tensor actual)
    {
        if (expected.dtype != actual.dtype || !expected.shape.SequenceEqual(actual.shape))
        {
            return $"it gives {actual.dtype} [{string.Join(", ", actual.shape)}] for {expected.dtype} [{string.Join(", ", expected.shape)}]";
        }

        var far = NativeTensor.Doubles(expected).Zip(NativeTensor.Doubles(actual)).Where(pair => !IsClose(pair.First, pair.Second)).ToList();
        return far.Count == 0 ? null : $"it gives {far[0].Second} for {far[0].First}, and {far.Count} numbers of {expected.numel()} are off";
    }

    static bool IsClose(double expected, double actual) =>
        expected.Equals(actual) || Math.Abs(expected - actual) <= Absolute + Relative * Math.Abs(expected);
}
