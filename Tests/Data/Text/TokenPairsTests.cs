using MaestroDeploy.Data;

namespace MaestroDeploy.Tests.Data.Text;

[TestClass]
public sealed class TokenPairsTests
{
    [TestMethod]
    public void Batch_SentencesOfDifferentLength_ArePaddedToTheLongestOnEachSide()
    {
        var pairs = new TokenPairs("x", [[5, 2], [6, 7, 2]], [[1, 8, 9, 2], [1, 2]], leftOut: 0);

        var batch = pairs.Batch([1, 0]);

        Assert.AreEqual((2, 3, 4), (batch.Rows, batch.SourceLength, batch.TargetLength));
        CollectionAssert.AreEqual(new long[] { 6, 7, 2, 5, 2, 0 }, batch.Source);
        CollectionAssert.AreEqual(new long[] { 1, 2, 0, 0, 1, 8, 9, 2 }, batch.Target);
    }

    [TestMethod]
    [DataRow(new int[0], DisplayName = "none")]
    [DataRow(new[] { 0, 5 }, DisplayName = "one too many")]
    [DataRow(new[] { -1 }, DisplayName = "a negative one")]
    public void Batch_IndicesThatAreNot_AreRefused(int[] indices) => Assert.Throws<ArgumentException>(() => Lengths(5).Batch(indices));

    [TestMethod]
    [DataRow(1)]
    [DataRow(7)]
    [DataRow(2000)]
    [DataRow(int.MaxValue)]
    public void Buckets_AnyBatchSize_DealsEveryPairOnce(int batchSize)
    {
        var batches = Lengths(1000).Buckets(batchSize, new Random(1));

        CollectionAssert.AreEquivalent(Enumerable.Range(0, 1000).ToArray(), batches.SelectMany(batch => batch).ToArray());
        Assert.HasCount((int)Math.Ceiling(1000.0 / batchSize), batches);
        Assert.AreEqual(Math.Min(batchSize, 1000), batches.Max(batch => batch.Length));
    }

    [TestMethod]
    public void Buckets_BatchesOfOnePool_HoldSentencesOfOneLengthInNoOrder()
    {
        var pairs = Lengths(1000);

        var batches = pairs.Buckets(20, new Random(1));

        var lengths = batches.Select(batch => batch.Select(i => pairs.Source(i).Length).Distinct().Single()).ToArray(); // 100 of each
        CollectionAssert.AreNotEqual(lengths.Order().ToArray(), lengths);
    }

    [TestMethod]
    public void Buckets_BySeed_AreTheSameAgainAndOthersForAnother()
    {
        CollectionAssert.AreEqual(Order(1), Order(1));
        CollectionAssert.AreNotEqual(Order(1), Order(2));

        static int[] Order(int seed) => [.. Lengths(50).Buckets(4, new Random(seed)).SelectMany(batch => batch)];
    }

    [TestMethod]
    public void Buckets_NoBatchSize_IsRefused() =>
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Lengths(5).Buckets(0, new Random(1)));

    /// <summary>Pairs whose lengths go from 1 to 10, again and again.</summary>
    static TokenPairs Lengths(int count)
    {
        int[][] sentences = [.. Enumerable.Range(0, count).Select(i => new int[1 + i % 10])];
        return new TokenPairs("lengths", sentences, sentences, leftOut: 0);
    }
}
