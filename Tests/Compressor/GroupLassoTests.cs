using MaestroDeploy.Compressor.Training;
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

        var sums = GroupLasso.TailNorms(u).Zip(GroupLasso.TailNorms(v), (a, b) => (double)a + b).ToArray();
        var importance = GroupLasso.TailNorms(u).Zip(GroupLasso.TailNorms(v), (a, b) => (double)a * b).ToArray();

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

    static float[] GradientOf(float[] factor, int columns)
    {
        using var scope = torch.NewDisposeScope();
        var tensor = torch.tensor(factor, [factor.Length / columns, columns], requires_grad: true);
        (tensor * 0).sum().backward(); // a gradient of zeros to add to
        GroupLasso.AddGradient(tensor, weight: 1);
        return tensor.grad!.data<float>().ToArray();
    }
}
