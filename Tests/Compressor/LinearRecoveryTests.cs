using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Compressor.Training.Optimization;
using MaestroDeploy.Compressor.Training.Samplers;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.LowRank;
using static TorchSharp.torch;

namespace MaestroDeploy.Tests.Compressor;

/// <summary>What LoD comes to on one linear map, where it is known: the paper's section 4, with maestro.md's recipes, items 1 to 6.</summary>
[TestClass]
public sealed class LinearRecoveryTests
{
    /// <summary>A 9x6 map of rank 3; its singular values are 9.5465, 6.9242 and 3.6651.</summary>
    static readonly float[] Map =
    [
        -.71242f, -.43445f, -.09218f, .36972f, .48327f, .23568f,
        1.20651f, .83538f, .20975f, -.7707f, -.93759f, -.43425f,
        -.34762f, .79334f, .99061f, -.75904f, .73043f, -.19657f,
        4.20336f, -.41581f, -1.74586f, 1.42135f, -1.64184f, -.39982f,
        -4.91028f, -.58994f, .72157f, -.87582f, .66805f, .78226f,
        1.93868f, 1.77717f, 1.91065f, -.46152f, 2.5729f, -.73508f,
        4.69575f, 2.21428f, .30058f, -1.44983f, -2.26222f, -1.32089f,
        1.54701f, -.88225f, -2.266f, .28766f, -3.95843f, .00332f,
        -.65009f, -.70327f, -1.44169f, -.47067f, -3.28646f, .21998f,
    ];

    [TestMethod]
    public void Sampling_OneRankAStep_FindsTheSingularVectors()
    {
        using var scope = NewDisposeScope();
        var runs = Enumerable.Range(1, 20).Select(seed => Train(Eye(9), Target(Eye(9)), seed, steps: 4000, rate: 0.5)).ToList();

        // Item 1: at every rank within 0.01 of the best approximation, for 19 of 20 seeds at least.
        Assert.IsGreaterThanOrEqualTo(19, runs.Count(run => run.Errors.All(error => error <= 1e-2)), string.Join("; ", runs.Select(run => run.Errors.Max())));
        // Item 2: the importances are the singular values, the tail's close to nothing.
        foreach (var run in runs.Where(run => run.Errors.All(error => error <= 1e-2)))
        {
            Assert.AreEqual(9.5465, run.Importance[0], 0.02);
            Assert.AreEqual(6.9242, run.Importance[1], 0.03);
            Assert.AreEqual(3.6651, run.Importance[2], 0.05);
            Assert.IsLessThan(0.07, run.Importance[3..].Max());
        }
    }

    [TestMethod]
    public void NoSampling_FindsTheMapButNoOrder()
    {
        using var scope = NewDisposeScope();
        var run = Train(Eye(9), Target(Eye(9)), seed: 1, steps: 2000, rate: 0.5, sampling: false);

        // Item 3, the negative control: the full model is right, and its leading ranks are far from the best ones.
        Assert.IsLessThan(1e-2, run.Errors[^1]);
        Assert.IsGreaterThan(10, run.Errors[0]);
        Assert.IsGreaterThan(1, run.Errors[2]);
    }

    [TestMethod]
    public void Sampling_DataThatFavoursTheSmallDirections_OrdersByTheData()
    {
        using var scope = NewDisposeScope();
        var (p, s, _) = linalg.svd(Matrix(Map, 9, 6), fullMatrices: true);
        // Item 4: responses of 1, 2 and 3 along the map's first three directions, so that its smallest matters most.
        var weights = cat([tensor(new[] { 1f, 2f, 3f }) / s[..3], ones(6)]);
        var x = diag(weights).mm(p.t());

        var run = Train(x, Target(x), seed: 1, steps: 10_000, rate: 10);

        Assert.AreEqual(3.665, run.Importance[0], 0.02);
        Assert.AreEqual(6.924, run.Importance[1], 0.02);
        Assert.AreEqual(9.546, run.Importance[2], 0.03);
        Assert.IsLessThan(0.07, run.Importance[3..].Max());
    }

    [TestMethod]
    public void SamplingAndLasso_OnItsOwnInput_FindsThePrincipalComponentsAndFollowsTheirLoss()
    {
        using var scope = NewDisposeScope();
        // Item 5: three samples of ten numbers, given back: the identity on three directions.
        using var generator = new Generator(7);
        var x = randn([3, 10], generator: generator);
        var whole = Pca(x, steps: 2500, dropAt: int.MaxValue);

        Assert.IsTrue(whole[..3].All(value => value is > 0.98 and < 0.9995), string.Join(", ", whole));
        Assert.IsLessThan(1e-3, whole[3..].Max());

        // Item 6: one of the three is left out from step 1200 on, and its rank goes.
        var dropped = Pca(x, steps: 2500, dropAt: 1200);

        Assert.IsTrue(dropped[..2].All(value => value is > 0.97 and < 1.03), string.Join(", ", dropped));
        Assert.IsLessThan(0.05, dropped[2]);
    }

    static double[] Pca(Tensor x, int steps, int dropAt)
    {
        using var graph = new TrainableGraph(RandomPair(10, 10, seed: 3));
        using var step = new GradientStep(Plain);
        var sampler = new SingleLayerSampler(seed: 3);
        for (var i = 0; i < steps; i++)
        {
            using var scope = NewDisposeScope();
            var seen = i < dropAt ? x : x[..2];
            var loss = Mse(graph.Forward(seen), seen) + Mse(graph.Forward(seen, sampler.Draw(graph.Ranks, new SamplingPlace(i))), seen);
            loss.backward();
            foreach (var factor in graph.Weights.Values)
            {
                GroupLasso.AddGradient(factor, 1e-2, LassoGroups.Rows);
            }

            step.Apply(graph.Weights, 0.1, i);
        }

        return [.. Importance(graph).OrderDescending()];
    }

    static (double[] Errors, double[] Importance) Train(Tensor x, Tensor y, int seed, int steps, double rate, bool sampling = true)
    {
        using var graph = new TrainableGraph(RandomPair(9, 6, seed));
        using var step = new GradientStep(Plain);
        var sampler = new SingleLayerSampler(seed);
        for (var i = 0; i < steps; i++)
        {
            using var scope = NewDisposeScope();
            Mse(graph.Forward(x, sampling ? sampler.Draw(graph.Ranks, new SamplingPlace(i)) : null), y).backward();
            step.Apply(graph.Weights, rate, i);
        }

        return (Errors(graph), Importance(graph));
    }

    static TrainingOptions Plain => new() { Momentum = 0, WeightDecay = 0, ClipNorm = double.PositiveInfinity };

    static Tensor Mse(Tensor answer, Tensor target) => nn.functional.mse_loss(answer, target);

    static Tensor Eye(int size) => eye(size);

    static Tensor Target(Tensor x) => x.mm(Matrix(Map, 9, 6));

    static Tensor Matrix(float[] values, int rows, int columns) => tensor(values, [rows, columns]);

    /// <summary>‖Σ_{i≤k} u_i·v_iᵀ − A_k‖² for each k, A_k being the best approximation of rank k.</summary>
    static double[] Errors(TrainableGraph graph)
    {
        using var scope = NewDisposeScope();
        using var nothing = no_grad();
        var (p, s, qt) = linalg.svd(Matrix(Map, 9, 6), fullMatrices: false);
        return [.. Enumerable.Range(1, 6).Select(k =>
        {
            var best = (p[.., ..k] * s[..k]).mm(qt[..k]);
            return (double)(graph.Forward(Eye(9), [k]) - best).square().sum().item<float>();
        })];
    }

    static double[] Importance(TrainableGraph graph) =>
        [.. GroupLasso.RowNorms(graph.Weights[graph.Pairs[0].U]).Zip(GroupLasso.RowNorms(graph.Weights[graph.Pairs[0].V]), (u, v) => u * v)];

    /// <summary>One linear layer without bias, its factors drawn as PyTorch draws linear layers.</summary>
    static LodModel RandomPair(int inputs, int outputs, int seed)
    {
        var g = new GraphBuilder("map", seed);
        var x = g.Input("x", inputs);
        var y = g.Linear(x, "layer", outputs, bias: false);
        var model = g.Build(y);
        var layer = WeightLayers.Find(model, out _).Single();
        var rank = Math.Min(inputs, outputs);
        float[] Uniform(int count, int fan, int salt) => [.. Numbers.Uniform(count, seed + salt).Select(value => value / MathF.Sqrt(fan))];
        var pair = PairRewrite.Factor(model, layer, Uniform(rank * outputs, rank, 1000), Uniform(rank * inputs, inputs, 2000));
        return new LodModel(model, [pair], new LodProvenance());
    }
}
