using MaestroDeploy.Cli.Output;
using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Compressor.Training.Tasks;
using MaestroDeploy.Data;
using MaestroDeploy.Exporter;
using MaestroDeploy.Onnx;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary>How a factored model learns to answer as the original does.</summary>
/// <param name="Options">The training.</param>
/// <param name="Augmentation">How training images are varied; null for not at all.</param>
sealed record Tuning(TrainingOptions Options, Augmentation? Augmentation);

/// <summary>From a model to a family: it is factored, tuned where that is asked for, and cut.</summary>
/// <param name="model">The model's file.</param>
/// <param name="source">What its layers are watched on, and variants measured.</param>
/// <param name="tuning">How the factored model learns; null for not at all.</param>
/// <param name="settings">How graphs are run.</param>
/// <param name="terminal">Told how far it is.</param>
/// <param name="cancellation">Stops it.</param>
sealed class CompressionJob(string model, CalibrationSource source, Tuning? tuning, SessionSettings settings, Terminal terminal, CancellationToken cancellation)
{
    /// <summary>Writes a family.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="kept">Where the factored model stays; null for nowhere.</param>
    /// <param name="choice">Which layers are factored.</param>
    /// <param name="read">What to cut, given the factored model's file, whose layers may have to be timed for it.</param>
    public (FamilyManifest Manifest, ExportOptions Options) Run(string folder, string? kept, LayerChoice choice, Func<string, ExportOptions> read)
    {
        if (tuning is not null)
        {
            source.Data!.Check(tuning.Options, tuning.Augmentation);
        }

        var workshop = Directory.CreateDirectory($"{Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))}.{Path.GetRandomFileName()}.partial");
        try
        {
            var file = kept ?? Path.Combine(workshop.FullName, TrainingJob.ModelFile);
            var decomposition = new DecompositionJob(settings, terminal, cancellation);
            decomposition.TellWhatCounts(decomposition.Run(model, file, source, choice));
            var options = read(file);
            if (tuning is not null)
            {
                // What is trained is what will be cut, and at full size the model stays as it was brought.
                var original = Path.Combine(workshop.FullName, "original.lod.onnx");
                File.Copy(file, original);
                var candidates = options.Plans ?? FamilyExport.Candidates(file, source.Evaluation, options, settings, terminal, cancellation);
                options = options with { Plans = Tune(file, Path.Combine(workshop.FullName, "tuning"), tuning, candidates), Original = original };
            }

            return (FamilyExport.Export(file, folder, source.Evaluation, options, settings, terminal, cancellation), options);
        }
        finally
        {
            workshop.Delete(recursive: true);
        }
    }

    /// <summary>Trains the factored model to answer as the original does when it is cut to some plans, in the place of its file.</summary>
    /// <returns>The plans that were trained to the end: of the candidates, the best of each budget.</returns>
    PlanFile Tune(string file, string run, Tuning how, PlanFile candidates)
    {
        using var teacher = new Teacher(model, settings);
        var result = new TrainingJob(run, settings, terminal, cancellation).Train(OnnxModel.Load(file), Path.GetFileName(model), source.Data!, how.Options, candidates, how.Augmentation, teacher);
        terminal.Say(TrainingJob.Kept(result, candidates));
        File.Move(Path.Combine(run, TrainingJob.ModelFile), file, overwrite: true);
        return ProfilesJson.Read<PlanFile>(Path.Combine(run, TrainingJob.PlansFile));
    }
}
