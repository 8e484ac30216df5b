namespace MaestroDeploy.Tests.Compressor.Graph;

[TestClass]
public sealed class OnnxOperatorTests
{
    /// <summary>Tests that this graph does not pass by intent: a form that is refused, or one whose numbers are random.</summary>
    static readonly Dictionary<string, string> Exceptions = new()
    {
    };

    [TestMethod]
    public void Outputs_EveryTestOfOnnx_AreTheExpectedOnes()
    {
        var failed = OnnxSuite.Outcomes().Where(outcome => outcome.Failure is not null && !Exceptions.ContainsKey(outcome.Name)).ToList();

        Assert.IsEmpty(failed, string.Join('\n', failed.Select(outcome => $"{outcome.Name}: {outcome.Failure}")));
    }
}
