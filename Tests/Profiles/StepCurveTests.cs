using MaestroDeploy.Profiles;

namespace MaestroDeploy.Tests.Profiles;

[TestClass]
public sealed class StepCurveTests
{
    [TestMethod]
    public void Fit_PointsThatNeverFall_AreKept()
    {
        var curve = StepCurve.Fit([(4, 30), (1, 10), (2, 10)]);

        Assert.AreEqual(0, curve.LargestMove);
        Assert.AreEqual(10, curve.AtLeast(3));
        Assert.AreEqual(30, curve.AtMost(3));
        Assert.AreEqual(30, curve.AtLeast(4));
        Assert.IsNull(curve.AtLeast(0.5));
        Assert.IsNull(curve.AtMost(5));
    }

    [TestMethod]
    public void Fit_AFall_IsPooledAndItsSizeTold()
    {
        var curve = StepCurve.Fit([(1, 10), (2, 40), (3, 20), (4, 50)]);

        Assert.AreEqual(30, curve.AtLeast(2));
        Assert.AreEqual(30, curve.AtMost(2.5));
        Assert.AreEqual(0.5, curve.LargestMove); // 20 became 30
    }

    [TestMethod]
    public void Fit_NoPoints_KnowsNothing() => Assert.IsNull(StepCurve.Fit([]).AtLeast(1));
}
