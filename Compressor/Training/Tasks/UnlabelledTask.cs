using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Data;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Training.Tasks;

/// <summary>Inputs of one's own without the right answers, for a teacher to answer.</summary>
public sealed class UnlabelledTask : TrainingTask
{
    readonly IReadOnlyDictionary<string, NpyArray> _arrays;
    readonly int[] _samples;
    (NpyArray Array, ScalarType Type)[] _inputs = [];

    /// <param name="name">What to call them.</param>
    /// <param name="arrays">An array for each of the model's inputs, by its name; the first axis goes over the samples.</param>
    /// <exception cref="ArgumentException">There is no sample, or the arrays are not of as many.</exception>
    public UnlabelledTask(string name, IReadOnlyDictionary<string, NpyArray> arrays)
        : this(name, arrays, [.. Enumerable.Range(0, SamplesIn(name, arrays))])
    {
    }

    UnlabelledTask(string name, IReadOnlyDictionary<string, NpyArray> arrays, int[] samples) => (Name, _arrays, _samples) = (name, arrays, samples);

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override int Count => _samples.Length;

    /// <inheritdoc/>
    public override bool HasLabels => false;

    /// <summary>Holds out a part for validation.</summary>
    /// <param name="share">How much, in (0, 1); rounded so that each part has at least one sample.</param>
    /// <param name="seed">The same seed draws the same samples.</param>
    /// <exception cref="ArgumentException">There is only one sample.</exception>
    public (UnlabelledTask Kept, UnlabelledTask HeldOut) Split(double share, int seed)
    {
        if (Count < 2)
        {
            throw new ArgumentException($"{Name} has a single sample, and no share of it can be held out.", nameof(share));
        }

        int[] drawn = [.. _samples];
        new Random(seed).Shuffle(drawn);
        var held = Math.Clamp((int)Math.Round(share * Count), 1, Count - 1);
        return (new UnlabelledTask(Name, _arrays, [.. drawn[held..].Order()]), new UnlabelledTask($"{Name}/validation", _arrays, [.. drawn[..held].Order()]));
    }

    /// <inheritdoc/>
    public override TaskBatch Load(ReadOnlySpan<int> chosen, Random? random)
    {
        var rows = Array.ConvertAll(chosen.ToArray(), sample => _samples[sample]);
        return new TaskBatch([.. _inputs.Select(input => Rows(input.Array, rows).to(input.Type))], null);
    }

    /// <inheritdoc/>
    public override void Check(LodModel model)
    {
        List<(NpyArray, ScalarType)> inputs = [];
        foreach (var input in model.Model.Inputs)
        {
            var array = _arrays.GetValueOrDefault(input.Name)
                ?? throw new UntrainableModelException(model.Model.Name, input.Name, $"{Name} has no array of that name; it has {string.Join(", ", _arrays.Keys)}");
            var axes = (input.Type?.TensorType?.Shape?.Dim ?? []).Skip(1).Select(axis => axis.HasDimValue ? axis.DimValue : (long?)null).ToArray();
            if (axes.Length != array.Shape.Length - 1 || axes.Zip(array.Shape.Skip(1)).Any(axis => axis.First is { } size && size != axis.Second))
            {
                throw new UntrainableModelException(model.Model.Name, input.Name,
                    $"it takes [N, {string.Join(", ", axes.Select(axis => axis?.ToString() ?? "?"))}], and its array in {Name} is [{string.Join(", ", array.Shape)}]");
            }

            var type = (TensorProto.Types.DataType)(input.Type?.TensorType?.ElemType ?? 0);
            inputs.Add((array, TorchTypes.Computed(type) ?? throw new UntrainableModelException(model.Model.Name, input.Name, $"it is a tensor of {ElementTypes.Name((int)type)}")));
        }

        _inputs = [.. inputs];
    }

    static Tensor Rows(NpyArray array, int[] rows)
    {
        var size = array.Values.Length / array.Shape[0];
        var values = new float[rows.Length * size];
        for (var i = 0; i < rows.Length; i++)
        {
            array.Values.AsSpan(rows[i] * size, size).CopyTo(values.AsSpan(i * size));
        }

        return NativeTensor.From(values, [rows.Length, .. array.Shape.Skip(1).Select(extent => (long)extent)]);
    }

    static int SamplesIn(string name, IReadOnlyDictionary<string, NpyArray> arrays)
    {
        int[] counts = [.. arrays.Values.Select(array => array.Shape.FirstOrDefault()).Distinct()];
        return counts is [> 0 and var only] ? only : throw new ArgumentException($"{name}: every array goes over the same samples, at least one; found {string.Join(", ", arrays.Select(array => $"{array.Key} [{string.Join(", ", array.Value.Shape)}]"))}.", nameof(arrays));
    }
}
