using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Exporter.Slicing;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using Microsoft.ML.OnnxRuntime;

namespace MaestroDeploy.Tests.Compressor;

[TestClass]
public sealed class ForeignFactoringTests
{
    // Two products sum in another order than one; in float16 every intermediate value is rounded to 11 bits.
    const float Rounding = 1e-4f, HalfRounding = 1e-2f;

    // Its weights are inside the branches of an If.
    const string Unfactorable = "silero_vad.onnx";

    [TestMethod]
    public void FactorThenCut_EveryForeignModel_LeavesItsOutputsAtFullRankAndRunsAtHalf()
    {
        List<string> wrong = [];
        foreach (var file in ForeignModels.Files().Where(file => Path.GetFileName(file) != Unfactorable))
        {
            try
            {
                FactorThenCut(OnnxModel.Load(file));
            }
            catch (Exception e) when (e is AssertFailedException or OnnxFormatException or OnnxRuntimeException)
            {
                wrong.Add($"{Path.GetFileName(file)}: {e.Message}");
            }
        }

        Assert.IsEmpty(wrong, string.Join("\n", wrong));
    }

    [TestMethod]
    public void Factor_AModelWithWeightsInBranchesOnly_SaysSo()
    {
        var model = OnnxModel.Load(SharedFolder.Require("models", Unfactorable));

        var error = Assert.ThrowsExactly<OnnxFormatException>(() => SvdFactoring.Factor(model, new LodProvenance()));

        StringAssert.Contains(error.Message, "its weights are in graphs that it holds");
    }

    static void FactorThenCut(OnnxModel model)
    {
        using var folder = new TemporaryFolder();
        SvdFactoring.Factor(model, new LodProvenance()).Save(folder["m.lod.onnx"]);
        var lod = LodModel.Load(folder["m.lod.onnx"]);
        var tolerance = lod.Pairs.Any(pair => ElementTypes.Name((int)pair.Type(lod.Model)) == "float16") ? HalfRounding : Rounding;
        var half = Plan(lod, pair => new LayerRank((pair.Rank(lod.Model) + 1) / 2));
        var cutter = new PlanCutter(lod);
        var expected = ForeignModels.Run(model);

        Assert.IsLessThan(tolerance, ForeignModels.RelativeDifference(expected, ForeignModels.Run(lod.Model)), "factored");
        Assert.IsLessThan(tolerance, ForeignModels.RelativeDifference(expected, ForeignModels.Run(cutter.Cut(Plan(lod, _ => LayerRank.Dense)))), "merged");
        Assert.HasCount(expected.Length, ForeignModels.Run(cutter.Cut(half)));
        Assert.IsLessThanOrEqualTo(lod.Cost().Dense.Macs, lod.Cost().At([.. lod.Pairs.Select(pair => half[pair.Layer].Components!.Value)]).Macs);
    }

    static RankPlan Plan(LodModel lod, Func<FactorPair, LayerRank> rank) => new(lod.Pairs.Select(pair => KeyValuePair.Create(pair.Layer, rank(pair))));
}
