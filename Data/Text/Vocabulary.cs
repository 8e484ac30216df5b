using System.Collections.Immutable;

namespace MaestroDeploy.Data;

/// <summary>The words that a model of text knows, and the number of each. Nothing in it changes, so threads may share it.</summary>
/// <remarks>
/// Sentences are put into lower case and cut into runs of letters and digits, kept whole across an inner hyphen or
/// apostrophe, and single punctuation marks.
/// </remarks>
public sealed class Vocabulary
{
    /// <summary>The number that fills up the shorter sentences of a batch.</summary>
    public const int Padding = 0;

    /// <summary>The number that stands before a sentence to be written.</summary>
    public const int Begin = 1;

    /// <summary>The number that stands after a sentence.</summary>
    public const int End = 2;

    /// <summary>The number of every word that is not in the vocabulary.</summary>
    public const int Unknown = 3;

    // No sentence has these as words: the brackets would be words of their own.
    static readonly ImmutableArray<string> Special = ["<pad>", "<begin>", "<end>", "<unknown>"];

    readonly Dictionary<string, int> _ids;

    Vocabulary(ImmutableArray<string> words)
    {
        Words = words;
        _ids = words.Index().Skip(Special.Length).ToDictionary(word => word.Item, word => word.Index);
    }

    /// <summary>The words by number; the first four are <c>&lt;pad&gt;</c>, <c>&lt;begin&gt;</c>, <c>&lt;end&gt;</c>, <c>&lt;unknown&gt;</c>.</summary>
    public ImmutableArray<string> Words { get; }

    /// <summary>How many words there are, those four among them.</summary>
    public int Count => Words.Length;

    /// <summary>Takes the words of some lines of text, the most frequent first, and equally frequent ones by their characters' codes.</summary>
    /// <param name="lines">The sentences to learn from; in any order they give the same vocabulary.</param>
    /// <param name="minCount">How often a word must occur to be taken, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="minCount"/> is below 1.</exception>
    public static Vocabulary FromLines(IEnumerable<string> lines, int minCount = 3)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(minCount, 1);
        var taken = lines.SelectMany(Tokenizer.Words).CountBy(word => word)
            .Where(word => word.Value >= minCount)
            .OrderByDescending(word => word.Value)
            .ThenBy(word => word.Key, StringComparer.Ordinal)
            .Select(word => word.Key);
        return new Vocabulary([.. Special, .. taken]);
    }

    /// <summary>Reads what <see cref="ToText"/> wrote.</summary>
    /// <param name="text">A word a line, in the order of their numbers.</param>
    /// <param name="source">The file that it is from, or what else to call it in a message.</param>
    /// <exception cref="DataFormatException">It does not begin with the four special words, or a line is not one new word.</exception>
    public static Vocabulary Parse(string text, string source)
    {
        ImmutableArray<string> words = [.. text.Split('\n')];
        if (!words.Take(Special.Length).SequenceEqual(Special))
        {
            throw new DataFormatException(source, $"is no vocabulary: it should begin with the lines {string.Join(", ", Special)}.");
        }

        var seen = new HashSet<string>();
        foreach (var (index, word) in words.Index().Skip(Special.Length))
        {
            if (!Tokenizer.Words(word).SequenceEqual([word]) || !seen.Add(word))
            {
                throw new DataFormatException(source, $"line {index + 1} should be one word in lower case that is new; it is '{word}'.");
            }
        }

        return new Vocabulary(words);
    }

    /// <summary>One word a line in the order of their numbers, with <c>\n</c> between them, to be kept in a file or in metadata.</summary>
    public string ToText() => string.Join('\n', Words);

    /// <summary>The numbers of a sentence's words, without <see cref="Begin"/> and <see cref="End"/>; empty for an empty sentence.</summary>
    public int[] Encode(string sentence) => [.. Tokenizer.Words(sentence).Select(word => _ids.GetValueOrDefault(word, Unknown))];

    /// <summary>The sentence that numbers stand for: up to the first <see cref="End"/>, leaving out <see cref="Begin"/> and <see cref="Padding"/>.</summary>
    /// <param name="ids">The numbers, each in [0, <see cref="Count"/>).</param>
    /// <exception cref="ArgumentOutOfRangeException">A number before the end is outside.</exception>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var words = new List<string>();
        foreach (var id in ids)
        {
            if ((uint)id >= (uint)Count)
            {
                throw new ArgumentOutOfRangeException(nameof(ids), id, $"The vocabulary has words 0 to {Count - 1}.");
            }

            if (id == End)
            {
                break;
            }

            if (id is not (Padding or Begin))
            {
                words.Add(Words[id]);
            }
        }

        return Tokenizer.Join(words);
    }
}
