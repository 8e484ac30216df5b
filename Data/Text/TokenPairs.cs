namespace MaestroDeploy.Data;

/// <summary>The sentences of one split and their translations, as numbers. Nothing in it changes, so threads may share it.</summary>
public sealed class TokenPairs
{
    const int BatchesInPool = 100; // enough to find sentences of one length, few enough to mix well

    readonly int[][] _source;
    readonly int[][] _target;

    internal TokenPairs(string name, int[][] source, int[][] target, int leftOut)
    {
        Name = name;
        _source = source;
        _target = target;
        LeftOut = leftOut;
    }

    /// <summary>The set and the split, such as <c>multi30k/de-en/train</c>.</summary>
    public string Name { get; }

    /// <summary>How many pairs there are, at least 1.</summary>
    public int Count => _source.Length;

    /// <summary>How many pairs of the files are not here, because a sentence is empty or too long to train on.</summary>
    public int LeftOut { get; }

    /// <summary>The length of the longest sentence on either side, with its begin and end.</summary>
    public int Longest => Math.Max(_source.Max(sentence => sentence.Length), _target.Max(sentence => sentence.Length));

    /// <summary>The words of a sentence to translate, then <see cref="Vocabulary.End"/>.</summary>
    /// <param name="i">Which pair, in [0, <see cref="Count"/>).</param>
    public ReadOnlySpan<int> Source(int i) => _source[i];

    /// <summary><see cref="Vocabulary.Begin"/>, the words of the translation, then <see cref="Vocabulary.End"/>.</summary>
    /// <param name="i">Which pair, in [0, <see cref="Count"/>).</param>
    public ReadOnlySpan<int> Target(int i) => _target[i];

    /// <summary>Puts the pairs at <paramref name="indices"/> side by side, in that order.</summary>
    /// <param name="indices">Which pairs, at least one, each in [0, <see cref="Count"/>); the same one may come twice.</param>
    /// <exception cref="ArgumentException">There are no indices, or one is out of range.</exception>
    public PaddedBatch Batch(ReadOnlySpan<int> indices)
    {
        if (indices.IsEmpty)
        {
            throw new ArgumentException("A batch has at least one pair.", nameof(indices));
        }

        foreach (var index in indices)
        {
            if ((uint)index >= (uint)Count)
            {
                throw new ArgumentOutOfRangeException(nameof(indices), index, $"{Name} has pairs 0 to {Count - 1}.");
            }
        }

        var source = Padded(_source, indices);
        var target = Padded(_target, indices);
        return new PaddedBatch(source, target, indices.Length, source.Length / indices.Length, target.Length / indices.Length);
    }

    /// <summary>Deals the pairs into batches of about one length each, so that little of a batch is padding.</summary>
    /// <param name="batchSize">Pairs in a batch, at least 1; one batch holds what is left.</param>
    /// <param name="random">Decides which pairs go together, and the order of the batches.</param>
    /// <returns>The indices of each batch; every pair is in exactly one.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="batchSize"/> is below 1.</exception>
    public IReadOnlyList<int[]> Buckets(int batchSize, Random random)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        batchSize = Math.Min(batchSize, Count);
        int[] order = [.. Enumerable.Range(0, Count)];
        random.Shuffle(order);
        int[][] batches =
        [
            .. order.Chunk((int)Math.Min((long)batchSize * BatchesInPool, Count)).SelectMany(pool =>
                pool.OrderBy(i => _source[i].Length).ThenBy(i => _target[i].Length).Chunk(batchSize)),
        ];
        random.Shuffle(batches);
        return batches;
    }

    static long[] Padded(int[][] sentences, ReadOnlySpan<int> indices)
    {
        var longest = 0;
        foreach (var index in indices)
        {
            longest = Math.Max(longest, sentences[index].Length);
        }

        var padded = new long[indices.Length * longest]; // zeros, which are Vocabulary.Padding
        for (var row = 0; row < indices.Length; row++)
        {
            var sentence = sentences[indices[row]];
            Array.Copy(sentence, 0, padded, row * longest, sentence.Length); // widens each number
        }

        return padded;
    }
}
