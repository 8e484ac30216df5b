using MaestroDeploy.Exporter.Report;

namespace MaestroDeploy.Tests.Exporter.Report;

[TestClass]
public sealed class ParetoFrontierTests
{
    [TestMethod]
    [DataRow("1:0.5 2:0.7 3:0.9", "1:0.5 2:0.7 3:0.9", DisplayName = "each gains something")]
    [DataRow("3:0.9 2:0.9 1:0.5", "1:0.5 2:0.9", DisplayName = "as good and slower is dominated")]
    [DataRow("1:0.9 2:0.7 3:0.5", "1:0.9", DisplayName = "one beats all")]
    [DataRow("1:0.5 1:0.7", "1:0.7", DisplayName = "as fast and worse is dominated")]
    [DataRow("1:0.5 1:0.5 2:0.4", "1:0.5 1:0.5", DisplayName = "equals do not dominate one another")]
    [DataRow("2:0.7", "2:0.7", DisplayName = "one alone")]
    [DataRow("", "", DisplayName = "none")]
    public void Of_Points_AreThoseThatNoOtherDominates(string points, string expected)
    {
        var frontier = ParetoFrontier.Of(Points(points), point => point[0], point => point[1]);

        CollectionAssert.AreEqual(Points(expected).SelectMany(point => point).ToArray(), frontier.SelectMany(point => point).ToArray());
    }

    [TestMethod]
    public void Of_ManyRandomPoints_IsWhatTheDefinitionSays()
    {
        var numbers = Numbers.Uniform(400).Select(value => Math.Round(value, 1)).Chunk(2).ToArray();

        var frontier = ParetoFrontier.Of(numbers, point => point[0], point => point[1]);

        var expected = numbers.Where(point => !numbers.Any(other => other[0] <= point[0] && other[1] >= point[1] && (other[0] < point[0] || other[1] > point[1])));
        CollectionAssert.AreEquivalent(expected.ToArray(), frontier.ToArray());
    }

    static double[][] Points(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(point => Array.ConvertAll(point.Split(':'), double.Parse))];
}
