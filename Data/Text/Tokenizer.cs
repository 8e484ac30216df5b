using System.Text;
using System.Text.RegularExpressions;

namespace MaestroDeploy.Data;

/// <summary>Cuts a sentence into words and punctuation marks, and puts one together again.</summary>
static partial class Tokenizer
{
    const string ClosesUp = ".,;:!?)]}%…»”";
    const string OpensOn = "([{«“„";
    const char Quote = '"'; // it opens and closes in turn

    /// <summary>The words, in lower case. No word holds white space, and each word by itself is cut into itself.</summary>
    public static IEnumerable<string> Words(string sentence) =>
        WordOrMark.Matches(sentence.ToLowerInvariant()).Select(match => match.Value);

    /// <summary>The words with spaces between them, but none before a mark that closes or after one that opens.</summary>
    public static string Join(IEnumerable<string> words)
    {
        var sentence = new StringBuilder();
        var (quoted, glued) = (false, true);
        foreach (var word in words)
        {
            var mark = word.Length == 1 ? word[0] : ' ';
            var closes = ClosesUp.Contains(mark, StringComparison.Ordinal) || mark == Quote && quoted;
            sentence.Append(glued || closes ? "" : " ").Append(word);
            quoted ^= mark == Quote;
            glued = OpensOn.Contains(mark, StringComparison.Ordinal) || mark == Quote && quoted;
        }

        return sentence.ToString();
    }

    // Letters (with the marks that stand on them) and digits, together across an inner hyphen or apostrophe; else one character.
    [GeneratedRegex(@"[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*|[\uD800-\uDBFF][\uDC00-\uDFFF]|\S")]
    static partial Regex WordOrMark { get; }
}
