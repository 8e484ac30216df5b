using System.CommandLine;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Data;
using MaestroDeploy.Exporter;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary><c>maestro quickstart</c>: the whole road once, on the embedded digits.</summary>
static class QuickstartCommand
{
    sealed record QuickstartReport(string Family, VariantReport Dense, IReadOnlyList<VariantReport> Variants, SelectionReport Selection, AnswerReport Answer);

    /// <summary>One test image answered.</summary>
    /// <param name="Sample">Its place in the test split.</param>
    /// <param name="Expected">Its label.</param>
    /// <param name="Answer">The class with the largest score.</param>
    sealed record AnswerReport(int Sample, int Expected, int Answer);

    public static Command Create(Terminal terminal)
    {
        var output = new Option<string>("--out") { Description = "The folder for all that it makes.", DefaultValueFactory = _ => "quickstart" };
        var command = new Command("quickstart", "The whole road on embedded data: train, export, profile, select, run. Under a minute.") { output };
        command.SetAction((parsed, cancellation) =>
        {
            terminal.Answer(Go(parsed.GetValue(output)!, terminal, cancellation));
            return Task.FromResult(0);
        });
        return command;
    }

    static QuickstartReport Go(string folder, Terminal terminal, CancellationToken cancellation)
    {
        var settings = new SessionSettings();
        var data = DataSets.Load("digits");

        terminal.Say("1. Train an MLP 64-1024-1024-10 on 8x8 digits, so that the ranks of its layers are ordered.");
        var options = Recipes.Named(Recipes.Nested) with { Epochs = 30, BatchSize = 64 };
        var dense = BuiltInModels.Create("mlp", data.Train.SampleShape.AsSpan(), data.Train.Classes, options.Seed);
        new TrainingJob(folder, settings, terminal, cancellation).Run(dense, "mlp", new NamedData(data), options, resume: new Checkpoint(folder).Exists);

        terminal.Say("2. Export it at six budgets: one graph each, all reading one weights file.");
        var familyFolder = Path.Combine(folder, "family");
        FamilyExport.Export(Path.Combine(folder, TrainingJob.ModelFile), familyFolder, new LabelledSamples(data), new ExportOptions(), settings, terminal, cancellation);

        terminal.Say("3. Measure every graph on this machine.");
        var family = Family.Open(familyFolder);
        var profile = Profiling.Measure(family, settings, new MeasureOptions(), ProfileStore.Beside(family), terminal, cancellation);
        var report = FamilyReport.Of(familyFolder, family.Manifest, profile);
        terminal.Show(Tables.Family(report));

        var limit = LimitBetweenTwoVariants(profile);
        terminal.Say($"4. Select the best within {Units.Microseconds(limit.TotalMicroseconds)}, a limit that some variants keep and some do not.");
        var selection = Choosing.Choose(family, profile, new ServiceLevel { MaxLatency = limit });
        terminal.Say(selection.Reason);

        terminal.Say("5. Run it on a test image.");
        var answer = AnswerOne(family, selection, data.Test, settings);
        terminal.Say($"Image {answer.Sample} of the test split is a {answer.Expected}; {selection.Variant.Id} answers {answer.Answer}.");
        return new QuickstartReport(familyFolder, report.Dense, report.Variants, selection, answer);
    }

    /// <summary>The geometric middle between the bounds of the two neighbours that lie furthest apart: the choice then is clear.</summary>
    static TimeSpan LimitBetweenTwoVariants(LatencyProfile profile)
    {
        var bounds = profile.Variants.Select(variant => variant.Steady.P90UpperUs ?? variant.Steady.P90Us).Order().ToArray();
        var (slow, fast) = bounds.Skip(1).Zip(bounds).MaxBy(pair => pair.First / pair.Second);
        return TimeSpan.FromMicroseconds(Math.Sqrt(slow * fast));
    }

    static AnswerReport AnswerOne(Family family, SelectionReport selection, SampleSet samples, SessionSettings settings)
    {
        const int Sample = 7;
        var values = new float[samples.SampleSize];
        samples.CopySamples([Sample], values);
        using var session = new ModelSession(family.PathOf(family.Manifest.Find(selection.Variant.Id)!), settings);
        var scores = session.Run(values, [1, .. samples.SampleShape]);
        return new AnswerReport(Sample, samples.Labels[Sample], Array.IndexOf(scores, scores.Max()));
    }
}
