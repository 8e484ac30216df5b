using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter.Evaluation;

/// <summary>Measures the accuracies that a family was exported without.</summary>
public static class FamilyAccuracy
{
    /// <summary>What the family says, with an accuracy for each variant that has none and whose files are here. The family itself stays as it is.</summary>
    /// <param name="family">The family.</param>
    /// <param name="data">What to measure on.</param>
    /// <param name="settings">How to run its graphs.</param>
    /// <param name="progress">Told each variant's id before it is measured; null for no one.</param>
    /// <param name="cancellation">Checked before each batch.</param>
    /// <exception cref="ExportException">A graph does not take these samples, or does not answer as they want.</exception>
    /// <exception cref="RuntimeException">A graph cannot be loaded or run.</exception>
    public static FamilyManifest Complete(
        Family family, EvaluationData data, SessionSettings settings, IProgress<string>? progress = null, CancellationToken cancellation = default)
    {
        var manifest = family.Manifest;
        return new FamilyManifest(
            manifest.Name, manifest.IrVersion, manifest.Opset, manifest.Inputs, manifest.Outputs, manifest.Layers, manifest.Provenance, manifest.Files,
            family.HasDense ? Measured(manifest.Dense) : manifest.Dense, [.. manifest.Variants.Select(Measured)]);

        Variant Measured(Variant variant)
        {
            if (variant.Accuracy is not null)
            {
                return variant;
            }

            progress?.Report(variant.Id);
            using var session = EvaluationSession.Load(family.PathOf(variant), data, settings);
            return data.Measure(session, cancellation) is not { } quality ? variant : variant with
            {
                Accuracy = quality.Accuracy,
                Perplexity = quality.Perplexity,
                AccuracySamples = quality.Samples,
                AccuracyData = quality.Data,
            };
        }
    }
}
