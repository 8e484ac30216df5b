using MaestroDeploy.Data;

namespace MaestroDeploy.Tests.Data.Text;

[TestClass]
public sealed class VocabularyTests
{
    static readonly Vocabulary Small = Vocabulary.FromLines(["b a. ä", "B a.", "c"], minCount: 1);

    [TestMethod]
    public void FromLines_Words_AreOrderedByCountThenByCode() =>
        CollectionAssert.AreEqual(
            new[] { "<pad>", "<begin>", "<end>", "<unknown>", ".", "a", "b", "c", "ä" }, Small.Words.ToArray());

    [TestMethod]
    public void FromLines_InAnotherOrder_IsTheSame() =>
        Assert.AreEqual(Small.ToText(), Vocabulary.FromLines(["c", "a. B", "ä a. b"], minCount: 1).ToText());

    [TestMethod]
    public void FromLines_RareWords_BecomeUnknown()
    {
        var vocabulary = Vocabulary.FromLines(["a a b", "a b"]);

        Assert.AreEqual(5, vocabulary.Count);
        CollectionAssert.AreEqual(new[] { 4, Vocabulary.Unknown }, vocabulary.Encode("A b"));
    }

    [TestMethod]
    public void Decode_WhatEncodeGave_IsTheSentenceInLowerCase() =>
        Assert.AreEqual("ä b. <unknown> c", Small.Decode(Small.Encode("Ä B. ZZ C")));

    [TestMethod]
    public void Decode_SpecialNumbers_SkipsPaddingAndStopsAtTheEnd() =>
        Assert.AreEqual("b c", Small.Decode([Vocabulary.Begin, 6, Vocabulary.Padding, 7, Vocabulary.End, 8]));

    [TestMethod]
    [DataRow(-1)]
    [DataRow(9)]
    public void Decode_ANumberOutside_IsRefused(int id) =>
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Small.Decode([id]));

    [TestMethod]
    public void Parse_WhatToTextWrote_IsTheSame()
    {
        var read = Vocabulary.Parse(Small.ToText(), "x");

        CollectionAssert.AreEqual(Small.Words.ToArray(), read.Words.ToArray());
        CollectionAssert.AreEqual(Small.Encode("a b c ä zz"), read.Encode("a b c ä zz"));
    }

    [TestMethod]
    [DataRow("", "begin with", DisplayName = "nothing")]
    [DataRow("<begin>\n<pad>\n<end>\n<unknown>\na", "begin with", DisplayName = "another order")]
    [DataRow("<pad>\n<begin>\n<end>\n<unknown>\na\na", "line 6", DisplayName = "a word twice")]
    [DataRow("<pad>\n<begin>\n<end>\n<unknown>\na b", "line 5", DisplayName = "two words")]
    [DataRow("<pad>\n<begin>\n<end>\n<unknown>\nA", "line 5", DisplayName = "upper case")]
    [DataRow("<pad>\n<begin>\n<end>\n<unknown>\n", "line 5", DisplayName = "an empty line")]
    public void Parse_WhatIsNoVocabulary_SaysWhere(string text, string finding)
    {
        var error = Assert.ThrowsExactly<DataFormatException>(() => Vocabulary.Parse(text, "words.txt"));

        StringAssert.StartsWith(error.Message, "words.txt: ");
        StringAssert.Contains(error.Message, finding);
    }

    [TestMethod]
    public void FromLines_NoCount_IsRefused() => Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Vocabulary.FromLines(["a"], minCount: 0));
}
