using System.Globalization;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Exporter.Slicing;
using MaestroDeploy.Exporter.Verification;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter;

/// <summary>One export under way: what every graph of it goes through.</summary>
/// <param name="options">How it is checked.</param>
/// <param name="settings">How graphs are run.</param>
/// <param name="lod">The trained model.</param>
/// <param name="cutter">Cuts it.</param>
/// <param name="data">What variants are recalibrated, checked and measured on.</param>
/// <param name="output">The folder.</param>
/// <param name="progress">Told at each stage of each graph; null for no one.</param>
/// <param name="total">Graphs in all, as far as is known.</param>
/// <param name="cancellation">Checked between stages and batches.</param>
sealed class ExportJob(
    ExportOptions options, SessionSettings settings, LodModel lod, PlanCutter cutter, EvaluationData data, FamilyFolder output, IProgress<ExportProgress>? progress, int total,
    CancellationToken cancellation)
{
    const string WeightsFile = "weights.bin", DenseId = "dense", DenseWeightsFile = "dense.bin";

    // Of the training samples, to move norms by; and of the test samples, to compare a variant with its reference on.
    const int NormSamples = 2048, CheckSamples = 256;

    // A plan that was tried is not measured again when it is written.
    readonly Dictionary<FormedPlan, Quality?> _measured = new(ReferenceEqualityComparer.Instance);

    readonly bool _half = lod.Pairs.Any(pair => pair.Type(lod.Model) == TensorProto.Types.DataType.Float16);
    IReadOnlyList<float[]>? _uncutStatistics;
    RecordedOutputs? _dense;
    int _done;

    /// <summary>What the dense graph takes and gives, as ONNX Runtime has it: a graph need not state the shapes of its outputs.</summary>
    public (IReadOnlyList<TensorSignature> Inputs, IReadOnlyList<TensorSignature> Outputs) Signature { get; private set; }

    /// <summary>The family's dense graph, which comes first: the others are held against it.</summary>
    /// <param name="dense">The plan that cuts nothing.</param>
    /// <param name="whole">The model that the graph is of: the trained one, or what it was before it was tuned.</param>
    public Variant WriteDense(PlannedVariant dense, LodModel whole)
    {
        using var weights = new SharedWeights(Path.Combine(output.Staging, DenseWeightsFile));
        return Write(DenseId, dense, ReferenceEquals(whole, lod) ? cutter : new PlanCutter(whole), weights) with { Plan = null };
    }

    /// <summary>Cuts a plan, recalibrates it and measures it, and writes nothing that stays.</summary>
    /// <returns>Its accuracy, in 0..1; null where the data does not know the right answers.</returns>
    public double? AccuracyOf(PlannedVariant planned)
    {
        if (!_measured.TryGetValue(planned.Formed, out var quality))
        {
            var id = IdOf(planned.Budget);
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(new ExportProgress(string.Create(CultureInfo.InvariantCulture, $"{id}: trying for an accuracy of {options.MinAccuracy}"), _done, 0));
            quality = Naming(id, () => Try(id, planned));
            _measured.Add(planned.Formed, quality);
        }

        return quality?.Accuracy;
    }

    public IReadOnlyList<Variant> WriteVariants(IReadOnlyList<PlannedVariant> planned)
    {
        total = planned.Count + 1;
        using var weights = new SharedWeights(Path.Combine(output.Staging, WeightsFile));
        foreach (var pair in lod.Pairs)
        {
            var rank = planned.Max(variant => variant.Formed.FormOf(pair.Layer) == LayerForm.Pair ? variant.Plan[pair.Layer].Components : null) ?? 0;
            if (rank > 0)
            {
                weights.AddFactor(lod.Model, pair.V, rank);
                weights.AddFactor(lod.Model, pair.U, rank);
            }
        }

        return [.. planned.Select(variant =>
            Write(IdOf(variant.Budget), variant, cutter, weights) with { Budget = variant.Budget.Share, AccuracyFloor = variant.AccuracyFloor })];
    }

    /// <summary>The words of a model of language, once for all its variants.</summary>
    public void WriteVocabulary()
    {
        if (lod.Model.Metadata(LodModel.VocabularyKey) is { } words)
        {
            File.WriteAllText(Path.Combine(output.Staging, FamilyExporter.VocabularyFile), words);
        }
    }

    Quality? Try(string id, PlannedVariant planned)
    {
        using var session = Scratch(Cut(id, planned, cutter));
        return data.Measure(session, cancellation);
    }

    Variant Write(string id, PlannedVariant planned, PlanCutter from, SharedWeights weights) => Naming(id, () => CutAndCheck(id, planned, from, weights));

    T Naming<T>(string id, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (RuntimeException e)
        {
            // The file that it names is gone by the time anyone reads this.
            throw new ExportException($"Variant {id}: {e.Message.Replace(output.Staging + Path.DirectorySeparatorChar, "").Replace(output.Scratch + Path.DirectorySeparatorChar, "")}", e);
        }
    }

    Variant CutAndCheck(string id, PlannedVariant planned, PlanCutter from, SharedWeights weights)
    {
        Tell($"{id}: cutting");
        var model = Cut(id, planned, from);
        var reference = ReferenceOutputs(from.Reference(planned.Plan), model);
        var (written, path, bytes) = Write(id, planned.Plan, model, weights);

        Tell($"{id}: checking");
        using var session = EvaluationSession.Load(written, path, data, settings);
        var outputs = RecordedOutputs.Of(session, data, CheckSamples);
        var difference = ReferenceCheck.LargestDifference(id, reference, outputs, _half);
        if (_dense is null)
        {
            (_dense, Signature) = (outputs, SignatureOf(path));
        }

        if (!_measured.TryGetValue(planned.Formed, out var quality))
        {
            _measured.Add(planned.Formed, quality = data.Measure(session, cancellation));
        }

        _done++;
        return new Variant
        {
            Id = id,
            File = Path.GetFileName(path),
            Plan = planned.Plan,
            IdentityBlocks = planned.Formed.Blocks.Count > 0 ? [.. planned.Formed.Blocks.Order(StringComparer.Ordinal)] : null,
            Params = planned.Cost.Params,
            Macs = planned.Cost.Macs,
            Bytes = bytes,
            Accuracy = quality?.Accuracy,
            Perplexity = quality?.Perplexity,
            AccuracySamples = quality?.Samples,
            AccuracyData = quality?.Data,
            Distance = outputs.DistanceFrom(_dense),
            MaxDifference = difference,
        };
    }

    // The graph as it lies in its file, and the bytes of it and of all weights that it reads.
    (OnnxModel Written, string Path, long Bytes) Write(string id, RankPlan plan, OnnxModel model, SharedWeights weights)
    {
        model.RemoveMetadata(LodModel.VocabularyKey);
        model.SetMetadata("maestro.variant", id);
        model.SetMetadata("maestro.plan", plan.ToString());
        var bytes = weights.Externalise(model);
        weights.Flush();
        var path = Path.Combine(output.Staging, $"{id}.onnx");
        var written = new OnnxModel(model.Proto, id, output.Staging); // its weights are in that folder already
        written.Save(path);
        return (written, path, bytes + new FileInfo(path).Length);
    }

    /// <summary>The model under a plan, its norms recalibrated where anything is cut.</summary>
    OnnxModel Cut(string id, PlannedVariant planned, PlanCutter from)
    {
        var model = from.Cut(planned.Formed);
        if (data.IsReal && planned.Plan.Layers.Values.Any(rank => !rank.IsDense) && BatchNormRecalibration.Norms(model).Count > 0)
        {
            Tell($"{id}: recalibrating BatchNorm");
            _uncutStatistics ??= Statistics(lod.Model);
            BatchNormRecalibration.Apply(model, Statistics(model), _uncutStatistics);
        }

        return model;
    }

    IReadOnlyList<float[]> Statistics(OnnxModel model)
    {
        using var session = Scratch(BatchNormRecalibration.MeasuringGraph(model));
        return BatchNormRecalibration.Measure(session, data, NormSamples, cancellation);
    }

    // The same outputs by another way, but for the norms, which are the variant's own.
    RecordedOutputs ReferenceOutputs(OnnxModel reference, OnnxModel model)
    {
        foreach (var name in BatchNormRecalibration.Norms(model).SelectMany(norm => norm.Input.Skip(3)))
        {
            reference.ReplaceInitializer(model.Initializer(name)!);
        }

        using var session = Scratch(reference);
        return RecordedOutputs.Of(session, data, CheckSamples);
    }

    (IReadOnlyList<TensorSignature>, IReadOnlyList<TensorSignature>) SignatureOf(string path)
    {
        using var session = new ModelSession(path, settings);
        return (session.Inputs, session.Outputs);
    }

    ModelSession Scratch(OnnxModel model)
    {
        var path = Path.Combine(output.Scratch, "model.onnx");
        model.Save(path);
        return EvaluationSession.Load(model, path, data, settings);
    }

    void Tell(string doing)
    {
        cancellation.ThrowIfCancellationRequested();
        progress?.Report(new ExportProgress(doing, _done, total));
    }

    static string IdOf(Budget budget) => "b" + (100 * budget.Share).ToString("0.########", CultureInfo.InvariantCulture);
}
