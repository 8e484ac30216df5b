using MaestroDeploy.Compressor.Training.Optimization;
using TorchSharp;

namespace MaestroDeploy.Tests.Compressor;

[TestClass]
public sealed class GroupLassoTests
{
    // The golden values of maestro.md, item 8, are given to six digits.
    const double Printed = 2e-6;

    static readonly float[] V = [1, 2, 2, 0, 3, 4]; // [2 ranks, 3]
    static readonly float[] U = [3, 4, 0, 1];       // [2 ranks, 2]

    [TestMethod]
    public void TailNorms_GoldenFactors_SumToTheHierarchicalLasso()
    {
        using var v = torch.tensor(V, [2, 3]);
        using var u = torch.tensor(U, [2, 2]);

        var sums = GroupLasso.TailNorms(u).Zip(GroupLasso.TailNorms(v), (a, b) => a + b).ToArray();
        var importance = GroupLasso.TailNorms(u).Zip(GroupLasso.TailNorms(v), (a, b) => a * b).ToArray();

        Assert.AreEqual(10.92997, sums[0], 1e-5);
        Assert.AreEqual(6, sums[1], 1e-5);
        Assert.AreEqual(29.73214, importance[0], 1e-4);
        Assert.AreEqual(5, importance[1], 1e-5);
    }

    [TestMethod]
    [DataRow(new float[] { 1, 2, 2, 0, 3, 4 }, 3, new[] { .171499, .342997, .342997, 0, 1.114496, 1.485994 }, DisplayName = "V")]
    [DataRow(new float[] { 3, 4, 0, 1 }, 2, new[] { .588348, .784465, 0, 1.196116 }, DisplayName = "U")]
    public void AddGradient_GoldenFactor_GivesTheGoldenGradient(float[] factor, int columns, double[] expected)
    {
        var gradient = GradientOf(factor, columns);

        for (var i = 0; i < expected.Length; i++)
        {
            Assert.AreEqual(expected[i], gradient[i], Printed);
        }
    }

    [TestMethod]
    public void AddGradient_ATailOfZeros_IsZeroThereAndFinite()
    {
        var gradient = GradientOf([3, 4, 0, 0], 2);

        CollectionAssert.AreEqual(new[] { .6f, .8f, 0, 0 }, gradient);
    }

    [TestMethod]
    public void Shrink_AnyFactor_IsTheMinimumOfItsObjective()
    {
        const double Threshold = 0.4;
        var factor = Numbers.Uniform(5 * 3, seed: 4);
        var solved = Shrunk(factor, 3, Threshold);

        // Convex: if no small move in any direction lowers it, it is the minimum.
        var best = Objective(factor, solved, 3, Threshold);
        for (var i = 0; i < 2000; i++)
        {
            var moved = solved.Zip(Numbers.Uniform(15, seed: 100 + i), (value, step) => value + 1e-3f * step).ToArray();
            Assert.IsGreaterThanOrEqualTo(best - 1e-7, Objective(factor, moved, 3, Threshold)); // rounding of the objective
        }
    }

    [TestMethod]
    public void Shrink_ATailBelowTheThreshold_BecomesExactlyZero()
    {
        var shrunk = Shrunk([3, 4, 0.01f, 0.02f, 0.02f, 0.01f], 2, threshold: 0.1);

        CollectionAssert.AreEqual(new float[] { 0, 0, 0, 0 }, shrunk[2..]);
        Assert.AreEqual(4.9, Math.Sqrt(shrunk[0] * shrunk[0] + shrunk[1] * shrunk[1]), 1e-6); // 5 less the one threshold left
    }

    /// <summary>maestro.md, item 10: seven tail ranks at rate 0.1, λ 1e-3, where the subgradient's oscillation lies above the threshold.</summary>
    [TestMethod]
    [DataRow(LassoStep.Proximal, true)]
    [DataRow(LassoStep.Subgradient, false)]
    public void Tail_AtTheSubgradientsFloor_IsRemovedByTheProximalStepOnly(LassoStep step, bool isRemoved)
    {
        const double Rate = 0.1, Weight = 1e-3, Threshold = 1e-7;
        using var scope = torch.NewDisposeScope();
        torch.Tensor[] factors = [Tail(seed: 1), Tail(seed: 2)];

        for (var i = 0; i < 400; i++)
        {
            foreach (var factor in factors)
            {
                using var nothing = torch.no_grad();
                if (step == LassoStep.Proximal)
                {
                    GroupLasso.Shrink(factor, Rate * Weight);
                }
                else
                {
                    GroupLasso.AddGradient(factor, Weight);
                    factor.add_(factor.grad!, alpha: -Rate);
                    factor.grad!.zero_();
                }
            }
        }

        var importance = GroupLasso.TailNorms(factors[0]).Zip(GroupLasso.TailNorms(factors[1]), (u, v) => u * v).ToArray();
        Assert.AreEqual(isRemoved, importance.All(value => value <= Threshold), string.Join(", ", importance));

        static torch.Tensor Tail(int seed)
        {
            var tensor = torch.tensor([.. Numbers.Uniform(7 * 5, seed).Select(value => 0.01f * value)], [7, 5], requires_grad: true);
            (tensor * 0).sum().backward();
            return tensor;
        }
    }

    [TestMethod]
    public void RowNorms_GoldenFactors_GiveThePlainLassoAndImportance()
    {
        using var v = torch.tensor(V, [2, 3]);
        using var u = torch.tensor(U, [2, 2]);

        var (rowsU, rowsV) = (GroupLasso.RowNorms(u), GroupLasso.RowNorms(v));

        CollectionAssert.AreEqual(new[] { 8.0, 6.0 }, rowsU.Zip(rowsV, (a, b) => a + b).ToArray());
        CollectionAssert.AreEqual(new[] { 15.0, 5.0 }, rowsU.Zip(rowsV, (a, b) => a * b).ToArray());
    }

    [TestMethod]
    public void Shrink_ByRows_ShortensEachByItself()
    {
        using var tensor = torch.tensor(new float[] { 3, 4, 0.03f, 0.04f, 6, 8 }, [3, 2]);

        GroupLasso.Shrink(tensor, 0.1, LassoGroups.Rows);

        var expected = new[] { 2.94f, 3.92f, 0, 0, 5.94f, 7.92f };
        Assert.IsLessThan(1e-6f, Numbers.LargestDifference(expected, tensor.data<float>().ToArray())); // float rounding
    }

    [TestMethod]
    public void Shrink_ByNothing_ChangesNothing() => CollectionAssert.AreEqual(V, Shrunk(V, 3, threshold: 0));

    static float[] Shrunk(float[] factor, int columns, double threshold)
    {
        using var tensor = torch.tensor(factor, [factor.Length / columns, columns]);
        GroupLasso.Shrink(tensor, threshold);
        return tensor.data<float>().ToArray();
    }

    static double Objective(float[] factor, float[] x, int columns, double threshold)
    {
        var distance = factor.Zip(x, (a, b) => (double)(a - b) * (a - b)).Sum() / 2;
        var tails = Enumerable.Range(0, x.Length / columns).Sum(b => Math.Sqrt(x.Skip(b * columns).Sum(value => (double)value * value)));
        return distance + threshold * tails;
    }

    static float[] GradientOf(float[] factor, int columns)
    {
        using var scope = torch.NewDisposeScope();
        var tensor = torch.tensor(factor, [factor.Length / columns, columns], requires_grad: true);
        (tensor * 0).sum().backward(); // a gradient of zeros to add to
        GroupLasso.AddGradient(tensor, weight: 1);
        return tensor.grad!.data<float>().ToArray();
    }
}
