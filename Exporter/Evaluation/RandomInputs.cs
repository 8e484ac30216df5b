using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter.Evaluation;

/// <summary>Numbers drawn once for all, to compare two graphs on where there is no data.</summary>
static class RandomInputs
{
    const int OpenAxis = 8; // the size of an axis after the batch that a graph leaves open

    /// <summary>One batch: floats uniform in [-1, 1), whole numbers of 0 to 3, as every vocabulary has.</summary>
    /// <param name="session">The graph.</param>
    /// <param name="count">Samples, where the graph leaves the batch open.</param>
    public static EvaluationBatch For(ModelSession session, int count)
    {
        var random = new Random(1);
        return new EvaluationBatch(count, [.. session.Inputs.Select(input => Fill(input, count, random))]);
    }

    static InputTensor Fill(TensorSignature input, int count, Random random)
    {
        int[] shape = [.. input.Shape.Select((axis, i) => axis.Size ?? (i == 0 ? count : OpenAxis))];
        var numbers = shape.Aggregate(1, (product, size) => checked(product * size));
        return input.Type switch
        {
            "int64" => new InputTensor(input.Name, Make(() => random.NextInt64(4)), shape),
            "int32" => new InputTensor(input.Name, Make(() => random.Next(4)), shape),
            "bool" => new InputTensor(input.Name, Make(() => random.Next(2) == 1), shape),
            _ => new InputTensor(input.Name, Make(() => 2 * random.NextSingle() - 1), shape),
        };

        T[] Make<T>(Func<T> draw) => [.. Enumerable.Range(0, numbers).Select(_ => draw())];
    }
}
