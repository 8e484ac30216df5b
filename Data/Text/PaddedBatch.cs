namespace MaestroDeploy.Data;

/// <summary>Some pairs of sentences, filled up with <see cref="Vocabulary.Padding"/> to the longest of them, in arrays of the receiver's own.</summary>
/// <param name="Source">The sentences to translate, each with its end, <c>[Rows, SourceLength]</c> row-major.</param>
/// <param name="Target">Their translations, each with its begin and its end, <c>[Rows, TargetLength]</c> row-major.</param>
/// <param name="Rows">How many pairs there are, at least 1.</param>
/// <param name="SourceLength">The length of the longest source sentence.</param>
/// <param name="TargetLength">The length of the longest target sentence.</param>
public sealed record PaddedBatch(long[] Source, long[] Target, int Rows, int SourceLength, int TargetLength)
{
    /// <summary>What a translator is given of each target: all but its last word, <c>[Rows, TargetLength - 1]</c>.</summary>
    public long[] Given() => Columns(0);

    /// <summary>What it is to say at each place: all but the first word, <c>[Rows, TargetLength - 1]</c>.</summary>
    public long[] Next() => Columns(1);

    long[] Columns(int first)
    {
        var length = TargetLength - 1;
        var columns = new long[Rows * length];
        for (var row = 0; row < Rows; row++)
        {
            Target.AsSpan(row * TargetLength + first, length).CopyTo(columns.AsSpan(row * length));
        }

        return columns;
    }
}
