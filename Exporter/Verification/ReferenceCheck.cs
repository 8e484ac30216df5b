using MaestroDeploy.Exporter.Evaluation;

namespace MaestroDeploy.Exporter.Verification;

/// <summary>Holds a variant's outputs against those of the uncut model with the same components zeroed.</summary>
static class ReferenceCheck
{
    // A layer multiplied back sums in another order, and deep networks pass that on; a wrong cut is off by far more.
    const double Tolerance = 1e-3;

    // Between two nodes half a precision is kept, eleven bits.
    const double HalfTolerance = 1e-2;

    /// <summary>The largest absolute difference between the two.</summary>
    /// <param name="variant">The variant's id.</param>
    /// <param name="reference">What the uncut model answered.</param>
    /// <param name="outputs">What the variant answered.</param>
    /// <param name="half">Whether the model counts in float16.</param>
    /// <exception cref="ExportException">It is above 0.001 of an output's largest value (0.01 in float16), or is not a number.</exception>
    public static double LargestDifference(string variant, RecordedOutputs reference, RecordedOutputs outputs, bool half) =>
        reference.Outputs.Zip(outputs.Outputs, (expected, found) => LargestDifference(variant, expected, found, half ? HalfTolerance : Tolerance)).Max();

    static double LargestDifference(string variant, float[] reference, float[] outputs, double tolerance)
    {
        if (reference.Length != outputs.Length)
        {
            throw new ExportException($"Variant {variant} gives {outputs.Length} numbers where the model that it was cut from gives {reference.Length}: the size of its outputs depends on their values, which cannot be compared.");
        }

        double difference = 0, largest = 1e-6;
        for (var i = 0; i < reference.Length; i++)
        {
            // A plain maximum would pass NaN over; and a model may mask what it answers by infinities, which differ from themselves by NaN.
            var here = reference[i].Equals(outputs[i]) ? 0 : Math.Abs((double)reference[i] - outputs[i]);
            difference = here > difference || double.IsNaN(here) ? here : difference;
            largest = float.IsFinite(reference[i]) ? Math.Max(largest, Math.Abs(reference[i])) : largest;
        }

        return difference <= tolerance * largest ? difference : throw new ExportException(FormattableString.Invariant(
            $"Variant {variant} differs from the model that it was cut from by {difference:g3}, of outputs up to {largest:g3}; nothing was written."));
    }
}
