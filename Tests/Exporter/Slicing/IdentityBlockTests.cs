using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Exporter.Slicing;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Tests.Exporter.Slicing;

[TestClass]
public sealed class IdentityBlockTests
{
    // What a layer may be off, of its largest output.
    const double Tolerance = 1e-5;

    [TestMethod]
    public void Of_AThousandRandomLayers_GivesThePlainPairsOutputs()
    {
        var random = new Random(1);
        var refused = 0;
        for (var layer = 0; layer < 1000; layer++)
        {
            int rows = random.Next(2, 48), columns = random.Next(2, 48);
            var rank = random.Next(1, Math.Min(rows, columns));
            // From one scale for all components to scales that fall by a half each, as a spectrum does.
            var (u, v) = (Factor(rank, rows, random, fall: layer % 3 / 4.0), Factor(rank, columns, random, fall: layer % 3 / 4.0));

            var aligned = GaugeAlignment.Of(u, v, rank, rows, columns);

            refused += aligned is null ? 1 : 0;
            if (aligned is not null)
            {
                Assert.IsLessThan(Tolerance, Apart(u, v, aligned, rank, rows, columns), $"layer {layer}: [{rows}, {columns}] at {rank}");
                Assert.AreEqual(rank * (rows + columns - rank), aligned.Inner.Length + aligned.Outer.Length);
            }
        }

        Assert.IsLessThan(20, refused, "random layers are conditioned well enough, but for a few");
    }

    [TestMethod]
    public void Of_TheFirstOutputsBeingOneAndTheSame_TakesOthers()
    {
        var random = new Random(2);
        var (u, v) = (Factor(4, 12, random, fall: 0), Factor(4, 20, random, fall: 0));
        for (var row = 0; row < 4; row++)
        {
            u[row * 12 + 1] = u[row * 12]; // output 1 repeats output 0
        }

        var aligned = GaugeAlignment.Of(u, v, 4, 12, 20);

        Assert.IsNotNull(aligned);
        Assert.IsFalse(aligned.InOrder);
        Assert.IsLessThan(Tolerance, Apart(u, v, aligned, 4, 12, 20));
    }

    [TestMethod]
    public void Of_OutputsOfALowerRankThanAsked_IsRefused()
    {
        var random = new Random(3);
        var u = Factor(4, 12, random, fall: 0);
        u.AsSpan(0, 12).CopyTo(u.AsSpan(12)); // two components that do the same

        Assert.IsNull(GaugeAlignment.Of(u, Factor(4, 20, random, fall: 0), 4, 12, 20));
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Cut_LinearLayersAsIdentityBlocks_AnswersAsThePairs(bool product)
    {
        var g = new GraphBuilder("linear", seed: 3);
        var x = g.Input("x", product ? [5, 24] : [24]);
        x = g.Relu(product ? g.MatMul(x, "first", 40) : g.Linear(x, "first", 40));
        var lod = SvdFactoring.Factor(g.Build(product ? g.MatMul(x, "second", 16) : g.Linear(x, "second", 16)), new LodProvenance());
        var cutter = new PlanCutter(lod);
        var (pairs, blocks) = (Plan(LayerForm.Pair), Plan(LayerForm.IdentityBlock));
        var inputs = Numbers.Uniform(3 * (product ? 5 : 1) * 24);
        long[] shape = product ? [3, 5, 24] : [3, 24];

        var expected = OrtRunner.Run(cutter.Cut(pairs), inputs, shape);
        var actual = OrtRunner.Run(cutter.Cut(blocks), inputs, shape);

        Assert.IsLessThan(Tolerance * expected.Max(Math.Abs), Numbers.LargestDifference(expected, actual));

        FormedPlan Plan(LayerForm form) => FormedPlan.Of(lod.Pairs, layer => (form, layer == 0 ? 12 : 9));
    }

    [TestMethod]
    [DataRow(10, false, false)]
    [DataRow(10, true, true)]
    [DataRow(11, false, true)]
    public void CanAlign_AGemm_OnlyWhereItMayGoWithoutTheBiasThatItLacks(int opset, bool biased, bool can)
    {
        var g = new GraphBuilder("linear", seed: 3);
        var model = g.Build(g.Linear(g.Input("x", 24), "only", 16));
        model.Proto.OpsetImport.Single(set => set.Domain.Length == 0).Version = opset;
        var gemm = model.Graph.Node.Single(node => node.OpType == "Gemm");
        if (!biased)
        {
            gemm.Input.RemoveAt(2);
        }

        var lod = SvdFactoring.Factor(model, new LodProvenance());

        Assert.AreEqual(can, new PlanCutter(lod).CanAlign(lod.Pairs.Single(), 9));
    }

    [TestMethod]
    public void Cut_AnOldGemmWithItsBias_AnswersAsThePair()
    {
        var g = new GraphBuilder("linear", seed: 3);
        var model = g.Build(g.Linear(g.Input("x", 24), "only", 16));
        model.Proto.OpsetImport.Single(set => set.Domain.Length == 0).Version = 10;
        var lod = SvdFactoring.Factor(model, new LodProvenance());
        var inputs = Numbers.Uniform(3 * 24);

        var expected = OrtRunner.Run(Cut(LayerForm.Pair), inputs, 3, 24);
        var actual = OrtRunner.Run(Cut(LayerForm.IdentityBlock), inputs, 3, 24);

        Assert.IsLessThan(Tolerance * expected.Max(Math.Abs), Numbers.LargestDifference(expected, actual));

        MaestroDeploy.Onnx.OnnxModel Cut(LayerForm form) => new PlanCutter(lod).Cut(FormedPlan.Of(lod.Pairs, _ => (form, 9)));
    }

    static float[] Factor(int rank, int size, Random random, double fall) =>
        [.. Enumerable.Range(0, rank * size).Select(i => (float)(Math.Pow(1 - fall, i / size) * (2 * random.NextDouble() - 1)))];

    // The largest difference over a few inputs, as a share of the largest output, both in double precision.
    static double Apart(float[] u, float[] v, GaugeAlignment aligned, int rank, int rows, int columns)
    {
        var random = new Random(4);
        var (apart, largest) = (0.0, 0.0);
        for (var trial = 0; trial < 3; trial++)
        {
            var x = Enumerable.Range(0, columns).Select(_ => 2 * random.NextDouble() - 1).ToArray();
            var plain = Expand(u, Project(v, x, rank), rows);
            var chosen = Project(aligned.Inner, x, rank);
            double[] inTurn = [.. chosen, .. Expand(aligned.Outer, chosen, rows - rank)];
            for (var i = 0; i < rows; i++)
            {
                apart = Math.Max(apart, Math.Abs(inTurn[i] - plain[aligned.Outputs[i]]));
                largest = Math.Max(largest, Math.Abs(plain[i]));
            }
        }

        return apart / largest;
    }

    static double[] Project(float[] matrix, double[] x, int rows) =>
        [.. Enumerable.Range(0, rows).Select(row => x.Select((value, column) => value * matrix[row * x.Length + column]).Sum())];

    static double[] Expand(float[] matrix, double[] hidden, int columns) =>
        [.. Enumerable.Range(0, columns).Select(column => hidden.Select((value, row) => value * matrix[row * columns + column]).Sum())];
}
