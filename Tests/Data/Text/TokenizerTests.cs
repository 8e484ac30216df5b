using MaestroDeploy.Data;

namespace MaestroDeploy.Tests.Data.Text;

[TestClass]
public sealed class TokenizerTests
{
    [TestMethod]
    [DataRow("Zwei Männer, im Freien.", "zwei|männer|,|im|freien|.", DisplayName = "words and marks")]
    [DataRow("A T-shirt, the dog's - well-known", "a|t-shirt|,|the|dog's|-|well-known", DisplayName = "inner hyphens and apostrophes")]
    [DataRow("rock 'n' roll -5", "rock|'|n|'|roll|-|5", DisplayName = "outer ones")]
    [DataRow("3.5 km...", "3|.|5|km|.|.|.", DisplayName = "numbers")]
    [DataRow("👍\u00a0ok\u2028e\u0301", "👍|ok|e\u0301", DisplayName = "beyond 16 bits, odd spaces, combining accents")]
    [DataRow(" \t ", "", DisplayName = "nothing")]
    public void Words_ASentence_AreLowerCaseAndCutAtPunctuation(string sentence, string expected) =>
        Assert.AreEqual(expected, string.Join('|', Tokenizer.Words(sentence)));

    [TestMethod]
    [DataRow("a man, (a boy) sits.")]
    [DataRow("\"go!\" says \"the t-shirt\".")]
    [DataRow("50% of «them»; why?")]
    [DataRow("")]
    public void Join_TheWordsOfWellSetText_GivesItBack(string sentence) => Assert.AreEqual(sentence, Tokenizer.Join(Tokenizer.Words(sentence)));
}
