using System.Collections.Immutable;
using System.CommandLine;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Compressor.Training.Tasks;
using MaestroDeploy.Data;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary>What a run learns from, chooses its best epoch by, and is judged by at its end.</summary>
/// <param name="Name">The set's name.</param>
/// <param name="Scaling">How raw values become floats.</param>
/// <param name="SampleShape">One sample's shape.</param>
/// <param name="Classes">What the labels tell apart.</param>
/// <param name="Training">The training split, less what is held out.</param>
/// <param name="Validation">What is held out; null for nothing.</param>
/// <param name="Test">The split that nothing is chosen by.</param>
sealed record TrainingData(
    string Name, string Scaling, ImmutableArray<int> SampleShape, int Classes, TrainingTask Training, TrainingTask? Validation, SampleSet Test)
{
    /// <summary>A classification set, its validation split held out by the options' share.</summary>
    public static TrainingData Of(DataSet set, TrainingOptions options, Augmentation? augmentation = null)
    {
        var (kept, held) = options.Validation > 0 ? set.Train.Split(options.Validation, options.Seed) : (set.Train, null);
        return new TrainingData(set.Name, set.Scaling, set.Train.SampleShape, set.Train.Classes,
            new ClassificationTask(kept, augmentation), held is null ? null : new ClassificationTask(held), set.Test);
    }

    /// <summary>The share of the test split that a graph answers right, in ONNX Runtime.</summary>
    public double Accuracy(ModelSession session, CancellationToken cancellation) => Exporter.Verification.Accuracy.Measure(session, Test, cancellation);
}

/// <summary>The options that name the data of a run.</summary>
sealed class TrainingDataFlags
{
    readonly Option<string> _data = new("--data") { Description = $"What to train on: {string.Join(", ", DataSets.Names)}.", Required = true };
    readonly Option<string?> _dataDir = SharedOptions.DataDir();
    readonly Option<int> _crop = new("--crop") { Description = "Shift training images by up to that many pixels; default 0." };
    readonly Option<bool> _flip = new("--flip") { Description = "Mirror half of the training images." };

    public void AddTo(Command command)
    {
        command.Options.Add(_data);
        command.Options.Add(_dataDir);
        command.Options.Add(_crop);
        command.Options.Add(_flip);
    }

    public TrainingData Read(ParseResult parsed, TrainingOptions options)
    {
        var set = SharedOptions.LoadData(parsed.GetValue(_data)!, parsed.GetValue(_dataDir));
        return TrainingData.Of(set, options, UsageException.Check(() => new Augmentation(parsed.GetValue(_crop), parsed.GetValue(_flip))));
    }
}
