using MaestroDeploy.Exporter.Evaluation;

namespace MaestroDeploy.Exporter.Verification;

/// <summary>Holds a variant's outputs against those of the uncut model with the same components zeroed.</summary>
static class ReferenceCheck
{
    // A layer multiplied back sums in another order, and deep networks pass that on; a wrong cut is off by far more.
    const double Tolerance = 1e-3;

    /// <summary>The largest absolute difference between the two.</summary>
    /// <exception cref="ExportException">It is above 0.001 of an output's largest value, or is not a number.</exception>
    public static double LargestDifference(string variant, RecordedOutputs reference, RecordedOutputs outputs) =>
        reference.Outputs.Zip(outputs.Outputs, (expected, found) => LargestDifference(variant, expected, found)).Max();

    static double LargestDifference(string variant, float[] reference, float[] outputs)
    {
        double difference = 0, largest = 1e-6;
        for (var i = 0; i < reference.Length; i++)
        {
            // A plain maximum would pass NaN over.
            var here = Math.Abs((double)reference[i] - outputs[i]);
            difference = here > difference || double.IsNaN(here) ? here : difference;
            largest = Math.Max(largest, Math.Abs(reference[i]));
        }

        return difference <= Tolerance * largest ? difference : throw new ExportException(FormattableString.Invariant(
            $"Variant {variant} differs from the model that it was cut from by {difference:g3}, of outputs up to {largest:g3}; nothing was written."));
    }
}
