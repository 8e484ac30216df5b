using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Compressor.Training.Tasks;
using MaestroDeploy.Data;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary>The data that a command line names: labelled samples, parallel text, or inputs without labels, as a trainer and as an exporter want them.</summary>
sealed class NamedData
{
    /// <summary>What stands before the file of inputs without labels.</summary>
    public const string Archive = "npz:";

    readonly DataSet? _samples;
    readonly ParallelText? _text;
    readonly IReadOnlyDictionary<string, NpyArray>? _inputs;

    /// <param name="samples">A classification set.</param>
    public NamedData(DataSet samples) => (_samples, Evaluation) = (samples, new LabelledSamples(samples));

    /// <param name="text">Sentences and their translations.</param>
    public NamedData(ParallelText text) => (_text, Evaluation) = (text, new TranslatedSentences(text));

    NamedData(string name, IReadOnlyDictionary<string, NpyArray> inputs) => (_inputs, Evaluation) = (inputs, new UnlabelledInputs(name, inputs));

    /// <summary>What <see cref="Load"/> takes.</summary>
    public static IReadOnlyList<string> Forms { get; } = [.. DataSets.Forms, ParallelText.Form];

    public string Name => Evaluation.Name;

    /// <summary>How raw values become a model's inputs, in plain words.</summary>
    public string Scaling => _samples?.Scaling ?? (_inputs is not null ? "values as they are" : "words in lower case, by their numbers in the vocabulary");

    /// <summary>For recalibrating, checking and measuring variants.</summary>
    public EvaluationData Evaluation { get; }

    /// <summary>How good a graph's answers are on the test split; null where there are no labels.</summary>
    public Quality? Measure(ModelSession session, CancellationToken cancellation) => Evaluation.Measure(session, cancellation);

    /// <param name="spec">In one of <see cref="Forms"/>.</param>
    /// <param name="dataDir">The only folder to look in for a set that has a name; null looks in the usual ones.</param>
    /// <param name="format">How a model wants them that was trained elsewhere; null as our own models are trained.</param>
    /// <exception cref="UsageException">The text names no data, or they cannot be brought into that format.</exception>
    public static NamedData Load(string spec, string? dataDir, SampleFormat? format = null) => UsageException.Check(() =>
        !spec.StartsWith("text:", StringComparison.Ordinal) ? new NamedData(DataSets.Load(spec, dataDir).As(format ?? new SampleFormat()))
        : format is null or { IsNone: true } ? new NamedData(ParallelText.Load(spec))
        : throw new UsageException("--layout, --channels, --scale, --mean, --std and --format are for samples of numbers; this is text."));

    /// <param name="spec">npz:FILE, with an array for each of a model's inputs, by its name.</param>
    /// <exception cref="UsageException">The text names no such file.</exception>
    /// <exception cref="DataFormatException">It cannot be read, or its arrays do not go together.</exception>
    public static NamedData Unlabelled(string spec)
    {
        var path = spec.StartsWith(Archive, StringComparison.Ordinal)
            ? spec[Archive.Length..]
            : throw new UsageException($"--inputs is {Archive}FILE or random, and random only where nothing is learnt from it; found '{spec}'.");
        var arrays = NpzFile.Read(path);
        try
        {
            return new NamedData(Path.GetFileNameWithoutExtension(path), arrays);
        }
        catch (ArgumentException e)
        {
            throw new DataFormatException(path, e.Message, e);
        }
    }

    /// <summary>What to say of a dense model that is hardly better than guessing; null where there is nothing to say.</summary>
    /// <param name="accuracy">Its share of right answers, 0 to 1; null where it was not measured.</param>
    public string? Doubt(double? accuracy)
    {
        var chance = _samples is null ? 0 : 1.0 / _samples.Test.Classes;
        return accuracy < Math.Min(2 * chance, (1 + chance) / 2)
            ? $"An accuracy of {Units.Share(accuracy)} is near chance ({Units.Share(chance)}): the model may want its samples otherwise than they are fed ({Scaling}); see --layout, --channels, --scale, --mean and --std."
            : null;
    }

    /// <summary>What of the data is not trained on, in words; null where all is.</summary>
    public string? LeftOut => _text is { Train.LeftOut: > 0 and var pairs } ? $"{pairs:N0} training pairs of {Name} are left out: a sentence is empty, or longer than {ParallelText.LongestSentence} words." : null;

    /// <summary>What to train on, and what to choose the best epoch by: held out from the training split, or the text's own split.</summary>
    /// <param name="options">How they are trained on.</param>
    /// <param name="augmentation">How images are varied; null for not at all.</param>
    /// <param name="teacher">The model whose answers are learnt; null for the labels.</param>
    /// <exception cref="UsageException">The samples cannot be varied so, or have neither labels nor a teacher.</exception>
    public (TrainingTask Training, TrainingTask? Validation) Tasks(TrainingOptions options, Augmentation? augmentation = null, Teacher? teacher = null)
    {
        var (training, validation) = Untaught(options, augmentation);
        return teacher is not null ? (Taught(training), validation is null ? null : Taught(validation))
            : training.HasLabels ? (training, validation)
            : throw new UsageException("--inputs have no labels to learn; name a model whose answers are learnt by --teacher.");

        DistillationTask Taught(TrainingTask task) => new(task, teacher, task.HasLabels ? options.LabelWeight : 0);
    }

    /// <summary>Makes sure that there is something to train on, before anyone waits for it.</summary>
    /// <param name="options">How it is to be trained on.</param>
    /// <param name="augmentation">How images are varied; null for not at all.</param>
    /// <exception cref="UsageException">The samples cannot be varied so, or cannot be counted.</exception>
    public void Check(TrainingOptions options, Augmentation? augmentation) => Untaught(options, augmentation);

    (TrainingTask Training, TrainingTask? Validation) Untaught(TrainingOptions options, Augmentation? augmentation)
    {
        if (_samples is null && augmentation is not null)
        {
            throw new UsageException("--crop and --flip are for images with their labels.");
        }

        if (_inputs is not null)
        {
            return UsageException.Check<(TrainingTask, TrainingTask?)>(() => new UnlabelledTask(Name, _inputs) is var task && options.Validation > 0 ? task.Split(options.Validation, options.Seed) : (task, null));
        }

        if (_text is not null)
        {
            return (new TranslationTask(_text.Train, _text.Vocabulary.Count), options.Validation > 0 ? new TranslationTask(_text.Validation, _text.Vocabulary.Count) : null);
        }

        var (kept, held) = options.Validation > 0 ? UsageException.Check(() => _samples!.Train.Split(options.Validation, options.Seed)) : (_samples!.Train, null);
        return (UsageException.Check(() => new ClassificationTask(kept, augmentation)), held is null ? null : new ClassificationTask(held));
    }

    /// <summary>A built-in model with fresh weights that fits the data.</summary>
    /// <exception cref="UsageException">There is no such model, or a size is not one of its.</exception>
    public OnnxModel BuiltIn(string name, int seed, ModelSize size) => UsageException.Check(() =>
        _inputs is not null ? throw new UsageException($"--inputs are named after a model's own inputs; give an .onnx file instead of {name}.")
            : _text is null
            ? BuiltInModels.Create(name, _samples!.Train.SampleShape.AsSpan(), _samples.Train.Classes, seed, size)
            : BuiltInModels.CreateTranslator(name, _text.Vocabulary.Count, seed, size));

    /// <summary>Gives a translator the vocabulary of the text, or makes sure that it has that one.</summary>
    /// <exception cref="CommandException">It has another.</exception>
    public void Prepare(OnnxModel model)
    {
        if (_text is null)
        {
            return;
        }

        var words = _text.Vocabulary.ToText();
        if (model.Metadata(LodModel.VocabularyKey) is not { } known)
        {
            model.SetMetadata(LodModel.VocabularyKey, words);
        }
        else if (known != words)
        {
            throw new CommandException($"{model.Name}: it was trained with another vocabulary than the {_text.Vocabulary.Count} words of {Name}; give the text that it was trained on.");
        }
    }
}
