using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Runtime;
using TorchSharp;

namespace MaestroDeploy.Tests.Compressor;

[TestClass]
public sealed class PrincipalResponsesTests
{
    const int Samples = 64;

    // Energies come from outputs in float32, and a share of 1e-6 is added for directions that no data takes.
    const double OfTheEnergy = 1e-5;

    // A dense weight comes back from its factors in float32.
    const float WeightError = 1e-4f;

    [TestMethod]
    [DataRow("linear", DisplayName = "fewer outputs than inputs")]
    [DataRow("wide", DisplayName = "more outputs than inputs")]
    [DataRow("product")]
    [DataRow("conv")]
    [DataRow("wide conv")]
    public void Decompose_CutToAnyRank_LosesTheTailsEnergyAndNoMoreThanPlainSvdDoes(string kind)
    {
        var (model, shape) = Layer(kind);
        var inputs = Skewed(shape, directions: int.MaxValue);
        using var responses = PrincipalResponses.Measure(model, Feed(inputs, shape), followOutputs: false);
        var (aware, spectra) = SvdFactoring.Decompose(model, new LodProvenance(), responses: responses);
        var plain = SvdFactoring.Factor(model, new LodProvenance());
        var expected = OrtRunner.Run(model, inputs, shape);
        var total = spectra[0].Energies.Sum();

        for (var rank = 1; rank <= spectra[0].Energies.Count; rank++)
        {
            var lost = SquaredError(expected, Cut(aware, rank), inputs, shape);

            Assert.AreEqual(spectra[0].Energies.Skip(rank).Sum(), lost, OfTheEnergy * total, $"rank {rank}");
            Assert.IsLessThanOrEqualTo(SquaredError(expected, Cut(plain, rank), inputs, shape) + OfTheEnergy * total, lost, $"rank {rank}");
        }
    }

    [TestMethod]
    public void Decompose_ALinearLayer_HasTheEnergiesOfTheWhitenedWeight()
    {
        var (model, shape) = Layer("linear");
        var inputs = Skewed(shape, directions: int.MaxValue);
        using var responses = PrincipalResponses.Measure(model, Feed(inputs, shape), followOutputs: false);

        var (_, spectra) = SvdFactoring.Decompose(model, new LodProvenance(), responses: responses);

        // W·G^½ by its definition: G = E[x·xᵀ] = Q·Λ·Qᵀ.
        using var scope = torch.NewDisposeScope();
        var x = torch.tensor(inputs, [Samples, shape[1]]).to(torch.float64);
        var (values, vectors) = torch.linalg.eigh(x.t().matmul(x) / Samples);
        var weight = torch.tensor(model.Floats(model.Initializer("layer.weight")!), [12, shape[1]]).to(torch.float64);
        var whitened = torch.linalg.svdvals(weight.matmul(vectors).mul(values.clamp_min(0).sqrt()));
        foreach (var (sigma, energy) in whitened.data<double>().ToArray().Zip(spectra[0].Energies))
        {
            Assert.AreEqual(sigma * sigma, energy, OfTheEnergy * spectra[0].Energies.Sum());
        }
    }

    [TestMethod]
    [DataRow("linear", 1)]
    [DataRow("linear", 3)]
    [DataRow("wide", 3)]
    [DataRow("conv", 1)]
    [DataRow("wide conv", 1)]
    public void Decompose_DataThatTakesFewDirections_StillHoldsTheWholeWeight(string kind, int directions)
    {
        var (model, shape) = Layer(kind);
        var inputs = Skewed(shape, directions);
        using var responses = PrincipalResponses.Measure(model, Feed(inputs, shape), followOutputs: false);

        var (lod, spectra) = SvdFactoring.Decompose(model, new LodProvenance(), responses: responses);

        var weight = model.Floats(model.Initializer("layer.weight")!);
        Assert.IsLessThan(WeightError, Numbers.LargestDifference(weight, lod.Pairs[0].Product(lod.Model)));
        Assert.IsGreaterThan(0.99, spectra[0].Energies.Take(9 * directions).Sum() / spectra[0].Energies.Sum()); // of 3 x 3 places, where it is a convolution
    }

    [TestMethod]
    public void Decompose_AWholeNetwork_LeavesItsOutputs()
    {
        var model = BuiltInModels.Create("lenet", [1, 28, 28], 10, seed: 1);
        var input = Numbers.Uniform(2 * 28 * 28);
        using var responses = PrincipalResponses.Measure(model, Random(32));

        var (lod, _) = SvdFactoring.Decompose(model, new LodProvenance(), responses: responses);

        Assert.IsEmpty(responses.ByWeights);
        Assert.IsLessThan(1e-5f, Numbers.LargestDifference(OrtRunner.Run(model, input, 2, 1, 28, 28), OrtRunner.Run(lod.Model, input, 2, 1, 28, 28)));
    }

    [TestMethod]
    public void Measure_DataThatIsNoNumber_LeavesTheLayerToItsWeightAndSaysSo()
    {
        var (model, shape) = Layer("linear");
        var inputs = Skewed(shape, directions: int.MaxValue);
        inputs[5] = float.NaN;

        using var responses = PrincipalResponses.Measure(model, Feed(inputs, shape));

        Assert.Contains("not finite", responses.ByWeights["layer"]);
        Assert.HasCount(1, SvdFactoring.Decompose(model, new LodProvenance(), responses: responses).Model.Pairs);
    }

    [TestMethod]
    public void Decompose_AnswersOfWhichTheOutputsFeelFew_KeepsThoseFirst()
    {
        const int Felt = 3; // of twelve
        var g = new GraphBuilder("net", seed: 3);
        var model = g.Build(g.Linear(g.Linear(g.Input("x", 20), "layer", 12), "head", Felt));
        long[] shape = [Samples, 20];
        var inputs = Numbers.Uniform(Samples * 20);
        var expected = OrtRunner.Run(model, inputs, shape);

        Assert.IsLessThan(Lost(followOutputs: false) / 2, Lost(followOutputs: true));

        double Lost(bool followOutputs)
        {
            using var responses = PrincipalResponses.Measure(model, Feed(inputs, shape), LayerChoice.All with { SkipLast = 1 }, followOutputs: followOutputs);
            Assert.AreEqual(followOutputs, responses.WhyAlike is null);
            var (lod, _) = SvdFactoring.Decompose(model, new LodProvenance(), LayerChoice.All with { SkipLast = 1 }, responses: responses);
            return expected.Zip(OrtRunner.Run(Cut(lod, Felt), inputs, shape), (a, b) => ((double)a - b) * ((double)a - b)).Sum();
        }
    }

    [TestMethod]
    public void Decompose_AnswersOfALargeMean_CentredKeepsWhatVaries()
    {
        const int Rank = 1;
        var (model, shape) = Layer("linear");
        // All inputs are near one point: most of what the layer answers is the same each time.
        var inputs = Skewed(shape, directions: int.MaxValue).Select((value, i) => 0.1f * value + 5 * MathF.Sin(i % shape[1])).ToArray();
        var expected = OrtRunner.Run(model, inputs, shape);

        Assert.IsLessThan(Error(centred: true), Error(centred: false));
        Assert.IsLessThan(Variance(centred: false), Variance(centred: true));

        double Error(bool centred) => Lost(centred).Sum(column => column.Sum(error => error * error));

        // What is left once a bias takes up the mean.
        double Variance(bool centred) => Lost(centred).Sum(column => column.Sum(error => Math.Pow(error - column.Average(), 2)));

        IEnumerable<double[]> Lost(bool centred)
        {
            using var responses = PrincipalResponses.Measure(model, Feed(inputs, shape), followOutputs: false, centred: centred);
            var (lod, _) = SvdFactoring.Decompose(model, new LodProvenance(), responses: responses);
            var actual = OrtRunner.Run(Cut(lod, Rank), inputs, shape);
            return expected.Zip(actual, (a, b) => (double)a - b).Select((error, i) => (Error: error, Column: i % OutputsOf(lod.Model))).GroupBy(at => at.Column, at => at.Error).Select(column => column.ToArray());
        }
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(5)]
    public void Measure_AnswersThatAreAllTheSame_CentredLeavesTheLayerToItsWeightAndSaysSo(float input)
    {
        var (model, shape) = Layer("linear");
        var inputs = Enumerable.Repeat(input, Samples * 20).ToArray();
        using var responses = PrincipalResponses.Measure(model, Feed(inputs, shape), followOutputs: false, centred: true);

        Assert.Contains("all the same", responses.ByWeights["layer"]);
        Assert.HasCount(1, SvdFactoring.Decompose(model, new LodProvenance(), responses: responses).Model.Pairs);
    }

    [TestMethod]
    [DataRow("Bernoulli", "Bernoulli", DisplayName = "an operator that the trainer lacks")]
    [DataRow("Hardmax", "(its outputs)", DisplayName = "an output that has no gradient")]
    public void Measure_NoGradientsToBeHad_LetsEveryAnswerCountAlikeAndSaysSo(string operation, string named)
    {
        var g = new GraphBuilder("net", seed: 3);
        var model = g.Build(g.Softmax(g.Linear(g.Input("x", 20), "layer", 9)));
        model.Graph.Node[^1].Attribute.Clear();
        model.Graph.Node[^1].OpType = operation;

        using var responses = PrincipalResponses.Measure(model, Feed(Numbers.Uniform(Samples * 20), [Samples, 20]));

        Assert.Contains(named, responses.WhyAlike!);
        Assert.IsEmpty(responses.ByWeights);
    }

    [TestMethod]
    [DataRow("pensieve_big_simple", 0.8, 0.01)]
    [DataRow("collins_rul_full_window_40", 0.8, 0.01)]
    public void Decompose_AModelOfLittleRank_LosesMostOfItsParametersAndLittleOfItsOutputs(string name, double parametersLost, double outputError)
    {
        const double EnergyCut = 1e-4; // of each layer
        var model = OnnxModel.Load(SharedFolder.Require("models", $"{name}.onnx"));
        using var responses = PrincipalResponses.Measure(model, Random(512));
        var (lod, spectra) = SvdFactoring.Decompose(model, new LodProvenance(), responses: responses);
        int[] ranks = [.. spectra.Select(spectrum => spectrum.RankFor(1 - EnergyCut))];

        var cut = lod.Model.Clone();
        foreach (var (pair, rank) in lod.Pairs.Zip(ranks))
        {
            PairRewrite.Truncate(cut, pair, rank);
        }

        using var folder = new TemporaryFolder();
        var distance = Record(cut, folder["cut.onnx"]).DistanceFrom(Record(model, folder["model.onnx"]))!;
        Assert.IsLessThan((1 - parametersLost) * lod.Cost().Dense.Params, lod.Cost().At(ranks).Params);
        Assert.IsLessThan(outputError, distance.RelativeError);
    }

    static RecordedOutputs Record(OnnxModel model, string path)
    {
        model.Save(path);
        using var session = new ModelSession(path);
        return RecordedOutputs.Of(session, new RandomInputs(), 256);
    }

    static CalibrationInputs Random(int samples) => (session, batch) => new RandomInputs().Calibration(session, samples, batch).Select(one => one.Inputs);

    /// <summary>A model of one layer, and the shape of the batch that it is watched on.</summary>
    static (OnnxModel Model, long[] Shape) Layer(string kind)
    {
        var g = new GraphBuilder(kind, seed: 3);
        return kind switch
        {
            "linear" => (g.Build(g.Linear(g.Input("x", 20), "layer", 12)), [Samples, 20]),
            "wide" => (g.Build(g.Linear(g.Input("x", 12), "layer", 30)), [Samples, 12]),
            "product" => (g.Build(g.MatMul(g.Input("x", 5, 16), "layer", 10)), [Samples, 5, 16]),
            "conv" => (g.Build(g.Conv(g.Input("x", 3, 9, 9), "layer", 8, 3, stride: 2, pad: 1)), [Samples, 3, 9, 9]),
            "wide conv" => (g.Build(g.Conv(g.Input("x", 1, 9, 9), "layer", 16, 3)), [Samples, 1, 9, 9]),
            _ => throw new ArgumentException(kind),
        };
    }

    /// <summary>Inputs whose features differ in size by up to 2¹⁰ and have a mean; only some of them are not zero.</summary>
    static float[] Skewed(long[] shape, int directions)
    {
        var (features, places) = shape.Length == 4 ? (shape[1], shape[2] * shape[3]) : (shape[^1], 1);
        return [.. Numbers.Uniform((int)shape.Aggregate((product, size) => product * size)).Select((value, i) =>
        {
            var feature = i / places % features;
            return feature < directions ? (value + 0.5f) * MathF.Pow(2, -feature % 11) : 0;
        })];
    }

    static CalibrationInputs Feed(float[] values, long[] shape) => (session, _) => [[new InputTensor(session.Inputs[0].Name, values, Array.ConvertAll(shape, size => (int)size))]];

    static OnnxModel Cut(LodModel lod, int rank)
    {
        var model = lod.CloneUnlabelled();
        PairRewrite.Truncate(model, lod.Pairs[0], rank);
        return model;
    }

    /// <summary>E‖y − y₀‖² over all times that the weight was applied.</summary>
    static double SquaredError(float[] expected, OnnxModel model, float[] inputs, long[] shape)
    {
        var actual = OrtRunner.Run(model, inputs, shape);
        var outputs = OutputsOf(model);
        return expected.Zip(actual, (a, b) => ((double)a - b) * ((double)a - b)).Sum() / (expected.Length / outputs);
    }

    static int OutputsOf(OnnxModel model) => (int)model.Initializer("layer.u")!.Dims[1];
}
