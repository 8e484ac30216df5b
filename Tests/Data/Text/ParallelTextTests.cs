using System.IO.Compression;
using MaestroDeploy.Data;

namespace MaestroDeploy.Tests.Data.Text;

[TestClass]
public sealed class ParallelTextTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    string Spec => $"text:{_folder.Path}:de-en";

    [TestMethod]
    public void Load_Multi30k_HasItsPublishedSizesAndAPlausibleVocabulary()
    {
        var text = ParallelText.Load($"text:{SharedFolder.Require("data", "multi30k")}:de-en");

        Assert.AreEqual("multi30k/de-en", text.Name);
        Assert.AreEqual("multi30k/de-en/test_2016_flickr", text.Test.Name);
        Assert.AreEqual((29_000, 1_014, 1_000), (text.Train.Count + text.Train.LeftOut, text.Validation.Count, text.Test.Count));
        Assert.IsLessThan(10, text.Train.LeftOut);
        Assert.IsTrue(text.Vocabulary.Count is > 8_000 and < 14_000, $"{text.Vocabulary.Count} words");
        CollectionAssert.AreEqual(text.Vocabulary.Words.ToArray(), Vocabulary.Parse(text.Vocabulary.ToText(), "x").Words.ToArray());
        Assert.AreEqual("two young, white males are outside near many bushes.", text.Vocabulary.Decode(text.Train.Target(0)));
        Assert.AreEqual("ein mann mit einem orangefarbenen hut, der etwas <unknown>.", text.Vocabulary.Decode(text.Test.Source(0)));
    }

    [TestMethod]
    public void Load_PlainAndGzippedFiles_ReadsBothAndMarksBeginAndEnd()
    {
        WriteAll("Ein Hund.\nEin Hund.\r\nEin Hund", "A dog.\nA dog.\nA dog");
        _folder.Write("train.de.gz", Bytes.Gzip(File.ReadAllBytes(_folder["train.de"])));
        File.Delete(_folder["train.de"]);

        var text = ParallelText.Load(Spec);

        string[] words = ["<pad>", "<begin>", "<end>", "<unknown>", ".", "a", "dog", "ein", "hund"]; // 4 full stops before 3 of each
        CollectionAssert.AreEqual(words, text.Vocabulary.Words.ToArray());
        CollectionAssert.AreEqual(new[] { 7, 8, 4, Vocabulary.End }, text.Train.Source(1).ToArray());
        CollectionAssert.AreEqual(new[] { Vocabulary.Begin, 5, 6, 4, Vocabulary.End }, text.Train.Target(1).ToArray());
        Assert.AreEqual(3, text.Validation.Count);
    }

    [TestMethod]
    public void Load_EmptyAndLongSentences_AreLeftOutOfTrainingOnly()
    {
        WriteAll("a b\n\na b c\na", "a\na\na\na b c");

        var text = ParallelText.Load(Spec, maxTokens: 2);

        Assert.AreEqual((1, 3), (text.Train.Count, text.Train.LeftOut));
        Assert.AreEqual((4, 0), (text.Test.Count, text.Test.LeftOut));
        Assert.AreEqual(5, text.Test.Longest);
        CollectionAssert.AreEqual(new[] { Vocabulary.End }, text.Test.Source(1).ToArray());
    }

    [TestMethod]
    public void Load_SeveralTestSets_TakesTheFirstByName()
    {
        WriteAll("a", "a");
        _folder.Write("test_2017.de", "a\na");
        _folder.Write("test_2017.en", "a\na");

        Assert.AreEqual(1, ParallelText.Load(Spec).Test.Count);
        File.Delete(_folder["test.de"]);
        Assert.AreEqual(2, ParallelText.Load(Spec).Test.Count);
    }

    [TestMethod]
    [DataRow("train.en", "a\nb", "has 2 lines", DisplayName = "a line too many")]
    [DataRow("train.de", "", "is empty", DisplayName = "an empty file")]
    [DataRow("train.de", "\n", "none of its 1 pairs", DisplayName = "no sentence at all")]
    public void Load_FilesThatDoNotFit_NamesTheFile(string file, string content, string finding)
    {
        WriteAll("a", "a");
        _folder.Write(file, content);

        var error = Assert.ThrowsExactly<DataFormatException>(() => ParallelText.Load(Spec));

        StringAssert.Contains(error.Message, finding);
    }

    [TestMethod]
    public void Load_AnotherEncoding_IsRefused()
    {
        WriteAll("a", "a");
        var path = _folder.Write("val.de", [(byte)'M', 0xe4, (byte)'n']); // ä in Latin-1

        var error = Assert.ThrowsExactly<DataFormatException>(() => ParallelText.Load(Spec));

        StringAssert.Contains(error.Message, $"{path}: is not text in UTF-8");
    }

    [TestMethod]
    [DataRow("train.de", "lacks train.de or train.de.gz")]
    [DataRow("val.en", "lacks val.en or val.en.gz")]
    [DataRow("test.de", "no test*.de")]
    [DataRow("test.en", "lacks test.en or test.en.gz")]
    public void Load_AFileThatIsAbsent_SaysWhich(string file, string finding)
    {
        WriteAll("a", "a");
        File.Delete(_folder[file]);

        var error = Assert.ThrowsExactly<DataFormatException>(() => ParallelText.Load(Spec));

        StringAssert.Contains(error.Message, finding);
    }

    [TestMethod]
    public void Load_AFolderThatIsAbsent_SaysSo()
    {
        var error = Assert.ThrowsExactly<DataFormatException>(() => ParallelText.Load($"text:{_folder["nowhere"]}:de-en"));

        StringAssert.Contains(error.Message, "no such folder");
    }

    [TestMethod]
    public void Load_ALineWithoutEnd_IsRefusedAtItsLimit()
    {
        WriteAll("a", "a");
        _folder.Write("train.de.gz", Bytes.Gzip([.. "a\n"u8, .. Enumerable.Repeat((byte)'x', 500_000)]));
        File.Delete(_folder["train.de"]);

        var error = Assert.ThrowsExactly<DataFormatException>(() => ParallelText.Load(Spec));

        StringAssert.Contains(error.Message, "line 2 has more than 16,384 characters");
    }

    [TestMethod]
    public void Load_AFileThatUnfoldsWithoutEnd_IsRefused()
    {
        WriteAll("a", "a");
        _folder.Write("train.de.gz", Bytes.Gzip([.. Enumerable.Repeat((byte)'\n', 4 << 20)], CompressionLevel.SmallestSize));
        File.Delete(_folder["train.de"]);

        var error = Assert.ThrowsExactly<DataFormatException>(() => ParallelText.Load(Spec));

        StringAssert.Contains(error.Message, "cannot be decompressed");
    }

    [TestMethod]
    public void Load_AnyByteOfAGzippedFileChanged_IsReadOrRefusedAndNothingElse()
    {
        WriteAll("ein hund\nein ball", "a dog\na ball");
        var whole = Bytes.Gzip(File.ReadAllBytes(_folder["train.de"]));
        File.Delete(_folder["train.de"]);
        for (var at = 0; at < whole.Length; at++)
        {
            _folder.Write("train.de.gz", [.. whole[..at], (byte)(whole[at] ^ 0xff), .. whole[(at + 1)..]]);
            try
            {
                ParallelText.Load(Spec);
            }
            catch (DataFormatException)
            {
            }
        }
    }

    [TestMethod]
    [DataRow("text:data")]
    [DataRow("text::de-en")]
    [DataRow("text:data:de")]
    [DataRow("text:data:de-../en")]
    [DataRow("images:data:de-en")]
    public void Load_AnotherForm_SaysHowItIsWritten(string spec)
    {
        var error = Assert.ThrowsExactly<ArgumentException>(() => ParallelText.Load(spec));

        StringAssert.Contains(error.Message, "text:DIR:SRC-TGT");
    }

    /// <summary>Writes the same pairs for training, validation and testing.</summary>
    void WriteAll(string german, string english)
    {
        foreach (var split in new[] { "train", "val", "test" })
        {
            _folder.Write($"{split}.de", german);
            _folder.Write($"{split}.en", english);
        }
    }
}
