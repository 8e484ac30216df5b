namespace MaestroDeploy.Data;

/// <summary>Some pairs of sentences, filled up with <see cref="Vocabulary.Padding"/> to the longest of them, in arrays of the receiver's own.</summary>
/// <param name="Source">The sentences to translate, each with its end, <c>[Rows, SourceLength]</c> row-major.</param>
/// <param name="Target">Their translations, each with its begin and its end, <c>[Rows, TargetLength]</c> row-major.</param>
/// <param name="Rows">How many pairs there are, at least 1.</param>
/// <param name="SourceLength">The length of the longest source sentence.</param>
/// <param name="TargetLength">The length of the longest target sentence.</param>
public sealed record PaddedBatch(long[] Source, long[] Target, int Rows, int SourceLength, int TargetLength);
