using System.Text.RegularExpressions;

namespace MaestroDeploy.Data;

/// <summary>Sentences in one language with their translations into another, split as they are used.</summary>
/// <param name="Name">The folder's name and the languages, such as <c>multi30k/de-en</c>.</param>
/// <param name="Train">The pairs to learn from, without those that have an empty sentence or one longer than was asked for.</param>
/// <param name="Validation">The pairs to watch training by; all of them, whole, however long.</param>
/// <param name="Test">The pairs to judge by; all of them, whole, however long.</param>
/// <param name="Vocabulary">The words of both languages in the training text.</param>
public sealed partial record ParallelText(string Name, TokenPairs Train, TokenPairs Validation, TokenPairs Test, Vocabulary Vocabulary)
{
    /// <summary>How the specs are written that <see cref="Load"/> reads.</summary>
    public const string Form = "text:DIR:SRC-TGT";

    /// <summary>The longest sentence that is trained on where nobody says otherwise, in words and punctuation marks.</summary>
    public const int LongestSentence = 64;

    /// <summary>Reads parallel text into memory.</summary>
    /// <remarks>
    /// The folder holds <c>train.SRC</c> and <c>train.TGT</c>, the same for <c>val</c>, and for <c>test</c> or the first
    /// name by its characters' codes that begins so; UTF-8, plain or with <c>.gz</c> after the name. Line by line, the two files of a
    /// split are translations of each other.
    /// </remarks>
    /// <param name="spec">Such as <c>text:data/multi30k:de-en</c>, to translate German into English.</param>
    /// <param name="maxTokens">The longest sentence to train on, in words and punctuation marks, at least 1.</param>
    /// <exception cref="ArgumentException"><paramref name="spec"/> is not of that form, or a sentence may have less than one word.</exception>
    /// <exception cref="DataFormatException">A file is absent or broken, has nothing in it, or is longer than its translation.</exception>
    public static ParallelText Load(string spec, int maxTokens = LongestSentence)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxTokens, 1);
        if (Spec.Match(spec) is not { Success: true, Groups: var parts })
        {
            throw new ArgumentException($"Parallel text is named {Form}, such as text:data/multi30k:de-en; found '{spec}'.", nameof(spec));
        }

        var folder = new TextFolder(parts["folder"].Value, parts["source"].Value, parts["target"].Value);
        var train = folder.Read("train");
        var vocabulary = Vocabulary.FromLines(train.Source.Concat(train.Target));
        return new ParallelText(
            folder.Name, Encode(train, maxTokens), Encode(folder.Read("val"), null), Encode(folder.Read(folder.TestSplit()), null), vocabulary);

        TokenPairs Encode(TextPairs text, int? most)
        {
            var all = text.Source.Zip(text.Target, (source, target) => (Source: vocabulary.Encode(source), Target: vocabulary.Encode(target)));
            var kept = all.Where(pair => most is null || Fits(pair.Source) && Fits(pair.Target)).ToArray();
            return kept.Length == 0
                ? throw new DataFormatException(text.Name, $"none of its {text.Source.Length} pairs has a sentence of 1 to {most} words on both sides.")
                : new TokenPairs(
                    text.Name,
                    Array.ConvertAll(kept, pair => (int[])[.. pair.Source, Vocabulary.End]),
                    Array.ConvertAll(kept, pair => (int[])[Vocabulary.Begin, .. pair.Target, Vocabulary.End]),
                    leftOut: text.Source.Length - kept.Length);

            bool Fits(int[] sentence) => sentence.Length > 0 && sentence.Length <= most;
        }
    }

    [GeneratedRegex(@"^text:(?<folder>.+):(?<source>\w+)-(?<target>\w+)$")]
    static partial Regex Spec { get; }
}
