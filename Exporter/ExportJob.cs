using System.Globalization;
using MaestroDeploy.Data;
using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Exporter.Slicing;
using MaestroDeploy.Exporter.Verification;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter;

/// <summary>One export under way: what every graph of it goes through.</summary>
sealed class ExportJob(
    ExportOptions options, SessionSettings settings, LodModel lod, DataSet? data, FamilyFolder output, IProgress<ExportProgress>? progress, int total,
    CancellationToken cancellation)
{
    const string WeightsFile = "weights.bin", DenseId = "dense", DenseWeightsFile = "dense.bin";

    readonly PlanCutter _cutter = new(lod);
    readonly SampleSet? _calibration = data?.Train.Take(options.CalibrationSamples);
    readonly SampleSet _check = CheckSamples(lod, data, options.CheckSamples);
    int _done;

    public Variant WriteDense(PlannedVariant dense)
    {
        using var weights = new SharedWeights(Path.Combine(output.Staging, DenseWeightsFile));
        return Write(DenseId, dense, weights) with { Plan = null };
    }

    public IReadOnlyList<Variant> WriteVariants(IReadOnlyList<PlannedVariant> planned)
    {
        using var weights = new SharedWeights(Path.Combine(output.Staging, WeightsFile));
        foreach (var pair in lod.Pairs)
        {
            var rank = planned.Max(variant => variant.Plan[pair.Layer].Components) ?? 0;
            if (rank > 0)
            {
                weights.AddFactor(pair.V, lod.Model.Floats(lod.Model.Initializer(pair.V)!).AsSpan(0, rank * pair.In));
                weights.AddFactor(pair.U, lod.Model.Floats(lod.Model.Initializer(pair.U)!).AsSpan(0, rank * pair.Out));
            }
        }

        return [.. planned.Select(variant =>
            Write(IdOf(variant.Budget), variant, weights) with { Budget = variant.Budget.Share })];
    }

    Variant Write(string id, PlannedVariant planned, SharedWeights weights)
    {
        try
        {
            return CutAndCheck(id, planned, weights);
        }
        catch (RuntimeException e)
        {
            // The file that it names is gone by the time anyone reads this.
            throw new ExportException($"Variant {id}: {e.Message.Replace(output.Staging + Path.DirectorySeparatorChar, "")}", e);
        }
    }

    Variant CutAndCheck(string id, PlannedVariant planned, SharedWeights weights)
    {
        Tell($"{id}: cutting");
        var model = _cutter.Cut(planned.Plan);
        Recalibrate(id, model);
        var reference = ReferenceOutputs(planned.Plan, model);
        model.SetMetadata("maestro.variant", id);
        model.SetMetadata("maestro.plan", planned.Plan.ToString());
        var bytes = weights.Externalise(model);
        weights.Flush();
        var file = $"{id}.onnx";
        var path = Path.Combine(output.Staging, file);
        new OnnxModel(model.Proto, id, output.Staging).Save(path); // its weights are in that folder already

        Tell($"{id}: checking");
        using var session = new ModelSession(path, settings);
        var difference = ReferenceCheck.LargestDifference(id, reference, Outputs(session));
        var accuracy = data is null ? (double?)null : Accuracy.Measure(session, data.Test, cancellation);
        _done++;
        return new Variant
        {
            Id = id,
            File = file,
            Plan = planned.Plan,
            Params = planned.Cost.Params,
            Macs = planned.Cost.Macs,
            Bytes = bytes + new FileInfo(path).Length,
            Accuracy = accuracy,
            AccuracySamples = data?.Test.Count,
            AccuracyData = data?.Test.Name,
            MaxDifference = difference,
        };
    }

    void Recalibrate(string id, OnnxModel model)
    {
        if (_calibration is null || BatchNormRecalibration.Norms(model).Count == 0)
        {
            return;
        }

        Tell($"{id}: recalibrating BatchNorm");
        using var session = Scratch(BatchNormRecalibration.MeasuringGraph(model));
        BatchNormRecalibration.Apply(model, BatchNormRecalibration.Measure(session, _calibration, cancellation));
    }

    float[] ReferenceOutputs(RankPlan plan, OnnxModel model)
    {
        var reference = _cutter.Reference(plan);
        foreach (var name in BatchNormRecalibration.Norms(model).SelectMany(norm => norm.Input.Skip(3)))
        {
            reference.ReplaceInitializer(model.Initializer(name)!);
        }

        using var session = Scratch(reference);
        return Outputs(session);
    }

    float[] Outputs(ModelSession session) => [.. Accuracy.Run(session, _check, cancellation).SelectMany(batch => batch.Scores)];

    ModelSession Scratch(OnnxModel model)
    {
        var path = Path.Combine(output.Scratch, "model.onnx");
        model.Save(path);
        return new ModelSession(path, settings);
    }

    void Tell(string doing)
    {
        cancellation.ThrowIfCancellationRequested();
        progress?.Report(new ExportProgress(doing, _done, total));
    }

    static string IdOf(Budget budget) => "b" + (100 * budget.Share).ToString("0.########", CultureInfo.InvariantCulture);

    /// <summary>Test samples, or numbers drawn once for all where there is no data.</summary>
    static SampleSet CheckSamples(LodModel lod, DataSet? data, int count)
    {
        if (data is not null)
        {
            return data.Test.Take(count);
        }

        var shape = (lod.Model.Inputs.First().Type?.TensorType?.Shape?.Dim ?? []).Skip(1)
            .Select(axis => axis.HasDimValue && axis.DimValue > 0 ? checked((int)axis.DimValue) : 1).ToArray();
        var random = new Random(1);
        var values = new float[shape.Aggregate(count, (product, size) => checked(product * size))];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = 2 * random.NextSingle() - 1;
        }

        return SampleSet.FromFloats("random", [.. shape], 1, values, new int[count]);
    }
}
