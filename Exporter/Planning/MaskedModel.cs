using System.Security.Cryptography;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Exporter.Verification;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Cost;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter.Planning;

/// <summary>A trained model that takes every layer's rank as an input: any plan is one run away, in one loaded graph.</summary>
/// <remarks>
/// After each projection its components are multiplied by a mask of ones and zeros. On samples that may move a variant's norms these use their
/// batch's statistics, as the variant's are recalibrated.
/// </remarks>
sealed class MaskedModel : IDisposable
{
    // Numbers of the uncut outputs that are kept: a translator scores thousands of words at every place.
    const long MostOutputs = 16 << 20;

    readonly ModelSession _session;
    readonly IReadOnlyList<FactorPair> _pairs;
    readonly int[] _ranks;
    readonly int[][] _shapes;
    readonly List<EvaluationBatch> _batches = [];
    readonly EvaluationData _data;

    /// <param name="lod">The trained model; it is not changed.</param>
    /// <param name="data">Samples of it are run.</param>
    /// <param name="samples">How many.</param>
    /// <param name="settings">How to run it.</param>
    /// <param name="scratch">A folder for files that do not stay.</param>
    public MaskedModel(LodModel lod, EvaluationData data, int samples, SessionSettings settings, string scratch)
    {
        _pairs = lod.Pairs;
        _data = data;
        _ranks = [.. lod.Pairs.Select(pair => pair.Rank(lod.Model))];
        _shapes = MaskShapes(lod);
        using var plain = Load(lod.CloneUnlabelled());
        _session = Load(Masked(lod, _shapes, data.IsReal));
        try
        {
            Uncut = RunUncut(data.Probe(plain, samples));
        }
        catch
        {
            _session.Dispose();
            throw;
        }

        ModelSession Load(OnnxModel model)
        {
            var path = Path.Combine(scratch, "masked.onnx");
            model.Save(path);
            return EvaluationSession.Load(model, path, data, settings);
        }
    }

    /// <summary>The largest ranks.</summary>
    public IReadOnlyList<int> Ranks => _ranks;

    /// <summary>SHA-256 of all samples' inputs.</summary>
    public string InputsSha256 => Convert.ToHexStringLower(SHA256.HashData([.. _batches.SelectMany(batch => batch.Inputs).SelectMany(input => input.Digest())]));

    /// <summary>Samples run.</summary>
    public int Samples => _batches.Sum(batch => batch.Samples);

    /// <summary>The first output of the uncut model, a batch after another.</summary>
    public IReadOnlyList<NamedTensor> Uncut { get; }

    /// <summary>The first output at some ranks, a batch after another.</summary>
    /// <param name="ranks">A rank for each layer, 0 and more.</param>
    public IReadOnlyList<NamedTensor> Outputs(IReadOnlyList<int> ranks) => [.. _batches.Select(batch => Run(batch, ranks))];

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();

    NamedTensor Run(EvaluationBatch batch, IReadOnlyList<int> ranks)
    {
        var masked = batch with { Inputs = [.. batch.Inputs, .. _pairs.Select((pair, i) => Mask(pair, ranks[i], _shapes[i]))] };
        return _data.Run(_session, masked)[0];
    }

    static string MaskOf(FactorPair pair) => $"{pair.Layer}.mask";

    static InputTensor Mask(FactorPair pair, int rank, int[] shape)
    {
        var values = new float[shape[0]];
        values.AsSpan(0, rank).Fill(1);
        return new InputTensor(MaskOf(pair), values, shape);
    }

    List<NamedTensor> RunUncut(IEnumerable<EvaluationBatch> batches)
    {
        List<NamedTensor> outputs = [];
        foreach (var batch in batches.TakeWhile(_ => outputs.Sum(output => (long)output.Values.Length) < MostOutputs))
        {
            _batches.Add(batch);
            outputs.Add(Run(batch, _ranks));
        }

        return outputs;
    }

    // Broadcast over what follows the channels: [r] for a linear layer, [r, 1] for one on the left of matrices, [r, 1, 1] for a convolution over two axes.
    static int[][] MaskShapes(LodModel lod)
    {
        var shapes = Shapes.Of(lod.Model);
        return [.. lod.Pairs.Select(pair => (int[])[pair.Rank(lod.Model), .. Enumerable.Repeat(1, Following(pair))])];

        int Following(FactorPair pair) => pair.Kind switch
        {
            LayerKind.Conv => pair.DenseShape.Count - 2,
            LayerKind.Left => shapes[PairRewrite.Uses(lod.Model, pair)[0].Projection.Output[0]] is { Count: 1 } ? 0 : 1, // of a vector there is nothing more
            _ => 0,
        };
    }

    static OnnxModel Masked(LodModel lod, int[][] shapes, bool recalibrates)
    {
        var model = lod.CloneUnlabelled();
        foreach (var (pair, shape) in lod.Pairs.Zip(shapes))
        {
            Mask(model, pair, shape);
        }

        if (!recalibrates || BatchNormRecalibration.Norms(model).Count == 0)
        {
            return model;
        }

        var measuring = BatchNormRecalibration.MeasuringGraph(model);
        measuring.Graph.Output.Clear(); // the statistics stay inside
        measuring.Graph.Output.AddRange(model.Graph.Output);
        return measuring;
    }

    static void Mask(OnnxModel model, FactorPair pair, int[] sizes)
    {
        foreach (var (use, number) in PairRewrite.Uses(model, pair).Select((use, i) => (use, i)))
        {
            var (hidden, raw) = (use.Projection.Output[0], $"{pair.Layer}.unmasked.{number}");
            use.Projection.Output[0] = raw;
            var mask = Nodes.Create("Mul", $"{pair.Layer}.masking.{number}", hidden, raw, MaskOf(pair));
            model.Graph.Node.Insert(model.Graph.Node.IndexOf(use.Projection) + 1, mask);
        }

        var shape = new TensorShapeProto();
        shape.Dim.AddRange(sizes.Select(size => new TensorShapeProto.Types.Dimension { DimValue = size }));
        var type = new TypeProto.Types.Tensor { ElemType = (int)pair.Type(model), Shape = shape };
        model.Graph.Input.Add(new ValueInfoProto { Name = MaskOf(pair), Type = new TypeProto { TensorType = type } });
    }
}
