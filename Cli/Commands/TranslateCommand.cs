using System.CommandLine;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Data;
using MaestroDeploy.Exporter;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary><c>maestro translate</c>: writes sentences with a trained translator, word by word.</summary>
static class TranslateCommand
{
    const int LongestSentence = 100;

    sealed record TranslationReport(string Model, IReadOnlyList<Translation> Translations);

    sealed record Translation(string Source, string Target);

    public static Command Create(Terminal terminal)
    {
        var path = new Argument<string>("path") { Description = "A family's folder, or a model.lod.onnx." };
        var text = new Option<string[]>("--text") { Description = "A sentence to translate; may be given several times.", Required = true };
        var variant = new Option<string?>("--variant") { Description = "The variant of a family; default: its largest." };
        var command = new Command("translate", "Translate sentences with a trained translator, greedily: the likeliest word at each place.") { path, text, variant };
        command.SetAction((parsed, cancellation) =>
        {
            var (graph, vocabulary) = Find(parsed.GetValue(path)!, parsed.GetValue(variant));
            using var session = new ModelSession(graph);
            var decoder = new GreedyDecoder(session, Vocabulary.Begin, Vocabulary.End);
            List<Translation> translations = [];
            foreach (var sentence in parsed.GetValue(text)!)
            {
                cancellation.ThrowIfCancellationRequested();
                long[] source = [.. vocabulary.Encode(sentence).Select(word => (long)word), Vocabulary.End];
                if (source.Length - 1 > LongestSentence)
                {
                    throw new CommandException($"--text: a sentence has {source.Length - 1} words, and {LongestSentence} is the most; cut it in two.");
                }

                var written = decoder.Decode(source, LongestSentence);
                translations.Add(new Translation(sentence, vocabulary.Decode([.. written.Select(word => (int)word)])));
                terminal.Say($"{sentence} → {translations[^1].Target}");
            }

            terminal.Answer(new TranslationReport(graph, translations));
            return Task.FromResult(0);
        });
        return command;
    }

    static (string Graph, Vocabulary) Find(string path, string? variant)
    {
        if (!Directory.Exists(path))
        {
            var words = OnnxModel.Load(path).Metadata(LodModel.VocabularyKey) ?? throw new CommandException($"{path}: it has no vocabulary; it is not a translator that maestro trained.");
            return variant is null ? (path, Vocabulary.Parse(words, path)) : throw new UsageException("--variant is for a family; this is one model.");
        }

        var family = Family.Open(path);
        var chosen = family.Manifest.Variants.FirstOrDefault(one => variant is null || one.Id == variant)
            ?? throw new CommandException($"{path}: there is no variant '{variant}'; there are {string.Join(", ", family.Manifest.Variants.Select(one => one.Id))}.");
        var file = Path.Combine(path, FamilyExporter.VocabularyFile);
        return File.Exists(file)
            ? (Path.Combine(path, chosen.File), Vocabulary.Parse(File.ReadAllText(file), file))
            : throw new CommandException($"{path}: it has no {FamilyExporter.VocabularyFile}; it is not a family of translators.");
    }
}
