using MaestroDeploy.Data;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter.Evaluation;

/// <summary>Inputs of one's own without the right answers: graphs are calibrated on them, and compared with one another.</summary>
public sealed class UnlabelledInputs : EvaluationData
{
    const int LargestBatch = 32;

    readonly IReadOnlyDictionary<string, NpyArray> _arrays;
    readonly int _samples;

    /// <param name="name">What to call them.</param>
    /// <param name="arrays">An array for each graph input, by its name; the first axis goes over the samples, but for scalars, which every batch is given.</param>
    /// <exception cref="ArgumentException">There is no sample, the arrays are not of as many, or a value is NaN.</exception>
    public UnlabelledInputs(string name, IReadOnlyDictionary<string, NpyArray> arrays)
    {
        Name = name;
        _arrays = arrays;
        if (arrays.FirstOrDefault(array => array.Value.Values.Length == 0) is { Key: { } empty })
        {
            throw new ArgumentException($"{name}: {empty} is [{string.Join(", ", arrays[empty].Shape)}], which holds no numbers.");
        }

        foreach (var (input, array) in arrays)
        {
            // An infinity may be meant, in a mask; what is no number never is.
            if (Array.FindIndex(array.Values, float.IsNaN) is >= 0 and var at)
            {
                throw new ArgumentException($"{name}: number {at} of {input} is NaN; every one should be a number.");
            }
        }

        var counts = arrays.Where(array => array.Value.Shape.Length > 0).Select(array => (array.Key, Samples: array.Value.Shape[0])).ToArray();
        _samples = counts.Length > 0 && counts.All(count => count.Samples == counts[0].Samples) && counts[0].Samples > 0
            ? counts[0].Samples
            : throw new ArgumentException($"{name}: every array goes over the same samples, at least one; found {string.Join(", ", counts.Select(count => $"{count.Samples} in {count.Key}"))}.");
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override Quality? Measure(ModelSession session, CancellationToken cancellation = default) => null;

    /// <inheritdoc/>
    public override IEnumerable<EvaluationBatch> Check(ModelSession session, int count) => Batches(session, count, LargestBatch);

    /// <inheritdoc/>
    public override IEnumerable<EvaluationBatch> Calibration(ModelSession session, int count, int largestBatch = int.MaxValue) =>
        Batches(session, count, Math.Min(LargestBatch, largestBatch));

    /// <inheritdoc/>
    public override IEnumerable<EvaluationBatch> Probe(ModelSession session, int count) => Batches(session, count, LargestBatch, fromTheEnd: true);

    IEnumerable<EvaluationBatch> Batches(ModelSession session, int count, int largest, bool fromTheEnd = false)
    {
        var (samples, batch) = Batching(session, count, Name, _samples, largest);
        var start = fromTheEnd ? _samples - samples : 0;
        for (var first = start; first < start + samples; first += batch)
        {
            var taken = Math.Min(batch, start + samples - first);
            yield return new EvaluationBatch(taken, [.. session.Inputs.Select(input => Slice(input, first, taken))]);
        }
    }

    InputTensor Slice(TensorSignature input, int first, int count)
    {
        var array = _arrays.GetValueOrDefault(input.Name) ?? throw new ExportException($"The graph takes {input}, and --inputs {Name} has {string.Join(", ", _arrays.Keys)}; save an array of that name.");
        int[] shape = array.Shape.Length == 0 ? [] : [count, .. array.Shape.Skip(1)];
        var sample = shape.Skip(1).Aggregate(1, (product, size) => product * size);
        var values = shape.Length == 0 ? array.Values : array.Values.AsSpan(first * sample, count * sample).ToArray();
        return InputTensor.FromFloats(input.Name, input.Type == "float16" ? "float32" : input.Type, values, shape); // a session rounds
    }
}
