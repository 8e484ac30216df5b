using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter.Evaluation;

/// <summary>Numbers drawn once for all, to compare graphs on where there is no data: floats uniform in [-1, 1), whole numbers of 0 to 3, as every vocabulary has.</summary>
public sealed class RandomInputs : EvaluationData
{
    const int LargestBatch = 16;

    // Enough to compare two graphs on: one sample of noise is like another.
    const int MostChecked = 32;

    // Sizes to try for axes after the batch that a graph leaves open: a text's length is any; images shrink on their way and must not
    // vanish; a second of sound is sixteen thousand numbers.
    static readonly int[] OpenAxes = [8, 64, 320];
    const int OneOpenAxis = 16_000;

    const int MostNumbers = 1 << 28; // 1 GiB of floats

    /// <inheritdoc/>
    public override string Name => OutputDistance.Random;

    /// <inheritdoc/>
    public override bool IsReal => false;

    /// <inheritdoc/>
    public override Quality? Measure(ModelSession session, CancellationToken cancellation = default) => null;

    /// <inheritdoc/>
    public override IEnumerable<EvaluationBatch> Check(ModelSession session, int count) => Batches(session, Math.Min(count, MostChecked), LargestBatch, seed: 1);

    /// <inheritdoc/>
    public override IEnumerable<EvaluationBatch> Calibration(ModelSession session, int count, int largestBatch = int.MaxValue) =>
        Batches(session, count, Math.Min(LargestBatch, largestBatch), seed: 2);

    static IEnumerable<EvaluationBatch> Batches(ModelSession session, int count, int largest, int seed)
    {
        // A stream for each input: in batches of any size a sample is the same.
        Random[] random = [.. session.Inputs.Select((_, i) => new Random(seed + (2 * i)))];
        var axis = OpenAxis(session);
        for (var left = count; left > 0;)
        {
            var samples = session.Inputs[0].Shape is [{ Size: { } only }, ..] ? only : Math.Min(left, largest);
            yield return Draw(session, samples, axis, random);
            left -= samples;
        }
    }

    /// <summary>The first size for open axes at which the graph runs.</summary>
    static int OpenAxis(ModelSession session)
    {
        var open = session.Inputs.Select(input => input.Shape.Skip(1).Count(axis => axis.Size is null)).DefaultIfEmpty().Max();
        int[] sizes = open == 1 ? [.. OpenAxes, OneOpenAxis] : OpenAxes;
        return open == 0 ? sizes[0] : sizes.FirstOrDefault(size => Runs(session, Draw(session, 1, size, [.. session.Inputs.Select((_, i) => new Random(i))])), sizes[0]);
    }

    static bool Runs(ModelSession session, EvaluationBatch batch)
    {
        try
        {
            return session.RunAll(batch.Inputs).All(output => output.Values.Length > 0);
        }
        catch (ModelException)
        {
            return false;
        }
    }

    static EvaluationBatch Draw(ModelSession session, int samples, int openAxis, Random[] random) =>
        new(samples, [.. session.Inputs.Zip(random, (input, stream) => Fill(input, samples, openAxis, stream))]);

    static InputTensor Fill(TensorSignature input, int samples, int openAxis, Random random)
    {
        int[] shape = [.. input.Shape.Select((axis, i) => axis.Size ?? (i == 0 ? samples : openAxis))];
        var numbers = shape.Aggregate(1.0, (product, size) => product * size) is var product and <= MostNumbers ? (int)product : throw new ExportException(
            $"The graph takes {input}, which as [{string.Join(", ", shape)}] passes {MostNumbers:N0} numbers; export the model with a smaller batch.");
        if (numbers == 0)
        {
            throw new ExportException($"The graph takes {input}, which as [{string.Join(", ", shape)}] holds no numbers to draw; name inputs by npz:FILE.");
        }

        return input.Type switch
        {
            "int64" => new InputTensor(input.Name, Make(() => random.NextInt64(4)), shape),
            "int32" => new InputTensor(input.Name, Make(() => random.Next(4)), shape),
            "bool" => new InputTensor(input.Name, Make(() => random.Next(2) == 1), shape),
            "float32" or "float16" => new InputTensor(input.Name, Make(() => 2 * random.NextSingle() - 1), shape),
            "float64" => InputTensor.FromFloats(input.Name, input.Type, Make(() => 2 * random.NextSingle() - 1), shape),
            _ => InputTensor.FromFloats(input.Name, input.Type, Make(() => (float)random.Next(4)), shape),
        };

        T[] Make<T>(Func<T> draw) => [.. Enumerable.Range(0, numbers).Select(_ => draw())];
    }
}
