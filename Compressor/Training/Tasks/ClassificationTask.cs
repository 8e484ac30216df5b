using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Data;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Cost;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Compressor.Training.Tasks;

/// <summary>Labelled samples, one answer each.</summary>
public sealed class ClassificationTask : TrainingTask
{
    readonly SampleSet _samples;
    readonly Augmentation? _augmentation;
    long[] _shape;
    float[] _values = [];

    /// <param name="samples">The samples.</param>
    /// <param name="augmentation">How images are varied while training; null for not at all.</param>
    /// <exception cref="ArgumentException">The samples cannot be varied so.</exception>
    public ClassificationTask(SampleSet samples, Augmentation? augmentation = null)
    {
        augmentation?.Check(samples);
        (_samples, _augmentation) = (samples, augmentation);
        _shape = [.. samples.SampleShape.Select(size => (long)size)];
    }

    /// <inheritdoc/>
    public override string Name => _samples.Name;

    /// <inheritdoc/>
    public override string Description => _augmentation is null ? base.Description : $"{base.Description}, {_augmentation}";

    /// <inheritdoc/>
    public override int Count => _samples.Count;

    /// <inheritdoc/>
    public override bool Varies => _augmentation is not null;

    /// <inheritdoc/>
    public override TaskBatch Load(ReadOnlySpan<int> chosen, Random? random)
    {
        var count = chosen.Length * _samples.SampleSize;
        _values = _values.Length >= count ? _values : new float[count];
        _samples.CopySamples(chosen, _values);
        if (random is not null)
        {
            _augmentation?.Apply(_values, chosen.Length, _samples, random);
        }

        var labels = new long[chosen.Length];
        for (var i = 0; i < labels.Length; i++)
        {
            labels[i] = _samples.Labels[chosen[i]];
        }

        return new TaskBatch([NativeTensor.From(_values.AsSpan(0, count), [chosen.Length, .. _shape])], NativeTensor.From(labels));
    }

    /// <inheritdoc/>
    public override void Check(LodModel model)
    {
        _shape = InputShape(model);
        var answer = FloatAnswers.Of(model.Model)[0];
        if (!FloatAnswers.AreScores(model.Model))
        {
            throw new UntrainableModelException(model.Model.Name, model.Model.Graph.Output[0].Name, "it gives classes that are not where scores are largest; let it give scores");
        }

        var scores = Shapes.Of(model.Model)[answer];
        if (scores is not null && (scores.Count < 2 || scores[1] != _samples.Classes || scores.Skip(2).Any(size => size != 1)))
        {
            throw new UntrainableModelException(model.Model.Name, answer,
                $"it gives [{string.Join(", ", scores)}] a sample, and {_samples.Name} has {_samples.Classes} classes");
        }
    }

    /// <summary>The shape that the model wants one sample in.</summary>
    long[] InputShape(LodModel model)
    {
        var inputs = model.Model.Inputs.ToList();
        if (inputs.Count != 1)
        {
            throw new UntrainableModelException(model.Model.Name, "(inputs)", $"it has {inputs.Count} inputs, and {_samples.Name} fills one");
        }

        int?[] axes = [.. (inputs[0].Type?.TensorType?.Shape?.Dim ?? []).Skip(1).Select(axis => axis.HasDimValue ? checked((int)axis.DimValue) : (int?)null)];
        var shape = _samples.ShapeFor(axes) ?? throw new UntrainableModelException(model.Model.Name, inputs[0].Name, _samples.Misfit(axes));
        return Array.ConvertAll(shape, size => (long)size);
    }
}
