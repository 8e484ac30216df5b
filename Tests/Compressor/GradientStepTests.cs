using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Compressor.Training.Optimization;
using static TorchSharp.torch;

namespace MaestroDeploy.Tests.Compressor;

/// <summary>Each rule against the same steps in plain arithmetic, or in Torch's own optimiser.</summary>
[TestClass]
public sealed class GradientStepTests
{
    const float Rounding = 1e-6f;

    [TestMethod]
    public void Apply_SgdOverThreeSteps_IsTorchs()
    {
        var options = new TrainingOptions { Momentum = 0.9, WeightDecay = 0.01, ClipNorm = double.PositiveInfinity };

        AssertSame(options, weight => optim.SGD([weight], 0.1, momentum: 0.9, weight_decay: 0.01));
    }

    [TestMethod]
    public void Apply_AdamWOverThreeSteps_IsTorchs()
    {
        var options = new TrainingOptions { Optimizer = OptimizerKind.AdamW, WeightDecay = 0.01, ClipNorm = double.PositiveInfinity };

        AssertSame(options, weight => optim.AdamW([weight], 0.1, beta1: 0.9, beta2: 0.98, eps: 1e-8, weight_decay: 0.01));
    }

    [TestMethod]
    public void Apply_ALongGradient_IsClippedOverAllParametersTogether()
    {
        using var scope = NewDisposeScope();
        var weights = new Dictionary<string, Tensor> { ["a"] = Weight([0, 0]), ["b"] = Weight([0, 0]) };
        using var step = new GradientStep(new TrainingOptions { Momentum = 0, WeightDecay = 0, ClipNorm = 1 });
        (weights["a"] * tensor(new[] { 6f, 0f }) + weights["b"] * tensor(new[] { 0f, 8f })).sum().backward(); // a norm of 10

        step.Apply(weights, 1, 0);

        Assert.IsLessThan(Rounding, Numbers.LargestDifference([-0.6f, 0], weights["a"].detach().data<float>().ToArray()));
        Assert.IsLessThan(Rounding, Numbers.LargestDifference([0, -0.8f], weights["b"].detach().data<float>().ToArray()));
    }

    [TestMethod]
    [DataRow(false, 1f)]
    [DataRow(true, 0.9f)]
    public void Apply_DecayOnOneAxis_OnlyWhenAskedFor(bool decaysAll, float expected)
    {
        using var scope = NewDisposeScope();
        var bias = Weight([1, 1]);
        using var step = new GradientStep(new TrainingOptions { Momentum = 0, WeightDecay = 0.1, DecaysAll = decaysAll, ClipNorm = double.PositiveInfinity });
        (bias * 0).sum().backward();

        step.Apply(new Dictionary<string, Tensor> { ["bias"] = bias }, 1, 0);

        Assert.AreEqual(expected, bias[0].item<float>(), Rounding);
    }

    [TestMethod]
    [DataRow(OptimizerKind.Sgd)]
    [DataRow(OptimizerKind.AdamW)]
    public void Shrink_AFactor_CutsItsMomentsToo(OptimizerKind kind)
    {
        using var scope = NewDisposeScope();
        using var step = new GradientStep(new TrainingOptions { Optimizer = kind });
        var weight = zeros([4, 3], requires_grad: true);
        (weight * 2).sum().backward();
        step.Apply(new Dictionary<string, Tensor> { ["fc.v"] = weight }, 0.1, 0);

        step.Shrink("fc.v", 2);

        Assert.IsTrue(step.Moments.Any() && step.Moments.All(moment => moment.Value.shape[0] == 2));
    }

    [TestMethod]
    [DataRow(ScheduleKind.Constant, new[] { 0.5, 1, 1, 1, 1, 1, 1, 1, 1, 1 })]
    [DataRow(ScheduleKind.Step, new[] { 0.5, 1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01, 0.01 })]
    [DataRow(ScheduleKind.InverseSquareRoot, new[] { 0.5, 1, 1, 0.816, 0.707, 0.632, 0.577, 0.535, 0.5, 0.471 })]
    [DataRow(ScheduleKind.Cosine, new[] { 0.5, 1, 1, 0.962, 0.854, 0.691, 0.5, 0.309, 0.146, 0.038 })]
    public void Rate_OverTenSteps_RisesThenFollowsItsKind(ScheduleKind kind, double[] expected)
    {
        var schedule = new Schedule(kind, peak: 1, warmUp: 0.2, steps: 10);

        for (var step = 0; step < 10; step++)
        {
            Assert.AreEqual(expected[step], schedule.Rate(step), 1e-3, $"step {step}"); // three digits are given
        }
    }

    static void AssertSame(TrainingOptions options, Func<TorchSharp.Modules.Parameter, optim.Optimizer> reference)
    {
        using var scope = NewDisposeScope();
        var start = tensor(Numbers.Uniform(12), [3, 4]);
        var ours = start.clone().requires_grad_(true);
        var theirs = nn.Parameter(start.clone());
        using var step = new GradientStep(options);
        using var optimizer = reference(theirs);
        for (var i = 0; i < 3; i++)
        {
            (ours * ours * ours).sum().backward();
            step.Apply(new Dictionary<string, Tensor> { ["w"] = ours }, 0.1, i);
            optimizer.zero_grad();
            (theirs * theirs * theirs).sum().backward();
            optimizer.step();
        }

        Assert.IsLessThan(Rounding, Numbers.LargestDifference(theirs.detach().data<float>().ToArray(), ours.detach().data<float>().ToArray()));
    }

    static Tensor Weight(float[] values) => tensor(values).requires_grad_(true);
}
