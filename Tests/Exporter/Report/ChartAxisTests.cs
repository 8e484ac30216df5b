using MaestroDeploy.Exporter.Report;

namespace MaestroDeploy.Tests.Exporter.Report;

[TestClass]
public sealed class ChartAxisTests
{
    const double CoordinateTolerance = 1e-9; // rounding of a few products

    [TestMethod]
    [DataRow(0, 100, "0 20 40 60 80 100")]
    [DataRow(3, 17, "4 6 8 10 12 14 16")]
    [DataRow(0.9, 0.98, "0.9 0.92 0.94 0.96 0.98")]
    public void Linear_ARange_HasRoundTicksWithinIt(double least, double most, string ticks)
    {
        var axis = ChartAxis.Linear([least, most], 0, 100, wanted: 6);

        CollectionAssert.AreEqual(Parse(ticks), axis.Ticks.ToArray());
    }

    [TestMethod]
    [DataRow(5, 900, "5 10 20 50 100 200 500", DisplayName = "two decades")]
    [DataRow(1, 1e6, "1 10 100 1000 10000 100000 1000000", DisplayName = "six decades")]
    [DataRow(40, 44, "40 41 42 43 44", DisplayName = "within one digit")]
    public void Logarithmic_ARange_HasRoundTicksWithinIt(double least, double most, string ticks)
    {
        var axis = ChartAxis.Logarithmic([least, most], 0, 100, wanted: 7);

        CollectionAssert.IsSubsetOf(Parse(ticks), axis.Ticks.ToArray());
        Assert.IsTrue(axis.Ticks.All(tick => axis.At(tick) is >= 0 and <= 100));
        Assert.IsLessThanOrEqualTo(12, axis.Ticks.Count);
    }

    [TestMethod]
    public void At_ALogarithmicAxis_PutsEqualFactorsEquallyFarApart()
    {
        var axis = ChartAxis.Logarithmic([1, 100], 0, 100, wanted: 5);

        Assert.AreEqual(axis.At(10) - axis.At(1), axis.At(100) - axis.At(10), CoordinateTolerance);
    }

    [TestMethod]
    public void At_AnAxisThatRunsDownwards_PutsMoreHigher()
    {
        var axis = ChartAxis.Linear([1, 2], start: 300, end: 20, wanted: 5);

        Assert.IsLessThan(axis.At(1), axis.At(2));
        Assert.IsTrue(axis.At(1) is > 20 and < 300 && axis.At(2) is > 20 and < 300);
    }

    [TestMethod]
    public void Linear_OneValueOrNearlyEqualOnes_StillHasTwoTicksThatDiffer()
    {
        foreach (double[] values in new double[][] { [0], [7], [1, 1 + 1e-12], [1e-300], [1e300], [1e-9, 1e300] })
        {
            var axis = ChartAxis.Linear(values, 0, 100, wanted: 6);

            Assert.IsGreaterThanOrEqualTo(2, axis.Ticks.Distinct().Count());
            Assert.IsTrue(values.All(value => axis.At(value) is >= 0 and <= 100));
        }
    }

    [TestMethod]
    public void Linear_SharesOfNearlyOne_HaveNoTickAboveOne()
    {
        var axis = ChartAxis.Linear([0.999, 1], 0, 100, wanted: 6, leastSpan: 0.02, most: 1);

        Assert.AreEqual(1, axis.Ticks[^1]);
        Assert.IsLessThan(20, Math.Abs(axis.At(1) - axis.At(0.999))); // a small difference looks small
    }

    static double[] Parse(string numbers) => Array.ConvertAll(numbers.Split(' '), double.Parse);
}
