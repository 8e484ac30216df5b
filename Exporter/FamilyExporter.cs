using System.Globalization;
using MaestroDeploy.Data;
using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Exporter.Slicing;
using MaestroDeploy.Exporter.Verification;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Onnx.Protos;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter;

/// <summary>Makes a family of one trained model: plans, cuts, recalibrates, writes, and checks each graph as it will be deployed.</summary>
public sealed class FamilyExporter
{
    const string WeightsFile = "weights.bin", DenseId = "dense", DenseWeightsFile = "dense.bin";

    readonly ExportOptions _options;
    readonly SessionSettings _settings;
    readonly TimeProvider _clock;

    /// <param name="options">What to cut; null for the defaults.</param>
    /// <param name="settings">How to run graphs while they are checked; null for the defaults.</param>
    /// <param name="clock">Dates the manifest; null for the system's.</param>
    public FamilyExporter(ExportOptions? options = null, SessionSettings? settings = null, TimeProvider? clock = null)
    {
        _options = options ?? new ExportOptions();
        _settings = settings ?? new SessionSettings();
        _clock = clock ?? TimeProvider.System;
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.CalibrationSamples, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.CheckSamples, 1);
        if (_options.Budgets.Count == 0)
        {
            throw new ArgumentException("A family needs at least one budget.", nameof(options));
        }
    }

    /// <summary>Writes a family.</summary>
    /// <param name="source">A <c>model.lod.onnx</c>.</param>
    /// <param name="folder">The folder to write: absent, empty, or an older family, which is replaced whole.</param>
    /// <param name="data">Calibrates BatchNorm and measures accuracy; null leaves both undone.</param>
    /// <param name="progress">Told at each stage of each graph; null for no one.</param>
    /// <param name="cancellation">Checked between stages and batches; nothing is left behind.</param>
    /// <exception cref="OnnxFormatException">The source cannot be used.</exception>
    /// <exception cref="ExportException">The folder holds something else, the data does not fit, or a graph failed its check.</exception>
    public FamilyManifest Export(string source, string folder, DataSet? data = null, IProgress<ExportProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        var lod = LodModel.Load(source);
        var planner = new UniformPlanner(lod.Cost(), _options.Unit);
        var planned = planner.Plan(_options.Budgets).OrderByDescending(variant => variant.Cost.Macs).ToList();
        using var output = new FamilyFolder(folder);
        using var job = new Job(this, lod, data, output, progress, planned.Count + 1, cancellation);

        var dense = job.WriteDense(planner.Dense());
        var variants = job.WriteVariants(planned);
        var manifest = Describe(source, folder, lod, dense, variants, output.Staging);
        cancellation.ThrowIfCancellationRequested();
        ProfilesJson.Write(Path.Combine(output.Staging, FamilyManifest.FileName), manifest);
        output.Commit();
        return manifest;
    }

    FamilyManifest Describe(string source, string folder, LodModel lod, Variant dense, IReadOnlyList<Variant> variants, string staging)
    {
        var made = lod.Provenance;
        var provenance = new Provenance
        {
            Source = Path.GetFileName(source),
            SourceSha256 = FileHash.Of(source).Sha256,
            Model = made.Model,
            Data = made.Data,
            Scaling = made.Scaling,
            Recipe = made.Recipe,
            Seed = made.Seed,
            Epochs = made.Epochs,
            CreatedBy = $"maestro {typeof(FamilyExporter).Assembly.GetName().Version!.ToString(3)}",
            CreatedUtc = _clock.GetUtcNow(),
        };
        var layers = lod.Pairs.Select(pair => new FactoredLayer(pair.Layer, pair.Kind == LayerKind.Conv ? "conv" : "linear", pair.Out, pair.In, pair.Rank(lod.Model)));
        return new FamilyManifest(
            Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))), (int)lod.Model.Proto.IrVersion, (int)lod.Model.Opset,
            [.. lod.Model.Inputs.Select(Signature)], [.. lod.Model.Graph.Output.Select(Signature)], [.. layers], provenance,
            [.. Directory.GetFiles(staging).Order(StringComparer.Ordinal).Select(FileHash.Of)], dense, variants);
    }

    static TensorSignature Signature(ValueInfoProto value)
    {
        var tensor = value.Type?.TensorType;
        var axes = (tensor?.Shape?.Dim ?? []).Select((axis, i) => axis.HasDimValue && axis.DimValue > 0
            ? new Axis(checked((int)axis.DimValue))
            : new Axis(axis.HasDimParam && axis.DimParam.Length > 0 ? axis.DimParam : $"axis{i}"));
        return new TensorSignature(value.Name, ElementTypes.Name(tensor?.ElemType ?? 0), [.. axes]);
    }

    /// <summary>One export under way: what every graph of it goes through.</summary>
    sealed class Job(
        FamilyExporter exporter, LodModel lod, DataSet? data, FamilyFolder output, IProgress<ExportProgress>? progress, int total,
        CancellationToken cancellation) : IDisposable
    {
        readonly PlanCutter _cutter = new(lod);
        readonly SampleSet? _calibration = data?.Train.Take(exporter._options.CalibrationSamples);
        readonly SampleSet _check = CheckSamples(lod, data, exporter._options.CheckSamples);
        SharedWeights? _weights;
        int _done;

        public Variant WriteDense(PlannedVariant dense)
        {
            using var weights = new SharedWeights(Path.Combine(output.Staging, DenseWeightsFile));
            return Write(DenseId, dense, weights) with { Plan = null };
        }

        public IReadOnlyList<Variant> WriteVariants(IReadOnlyList<PlannedVariant> planned)
        {
            _weights = new SharedWeights(Path.Combine(output.Staging, WeightsFile));
            foreach (var pair in lod.Pairs)
            {
                var rank = planned.Max(variant => variant.Plan[pair.Layer].Components) ?? 0;
                if (rank > 0)
                {
                    _weights.AddFactor(pair.V, lod.Model.Floats(lod.Model.Initializer(pair.V)!).AsSpan(0, rank * pair.In));
                    _weights.AddFactor(pair.U, lod.Model.Floats(lod.Model.Initializer(pair.U)!).AsSpan(0, rank * pair.Out));
                }
            }

            return [.. planned.Select(variant =>
                Write(IdOf(variant.Budget), variant, _weights) with { Budget = variant.Budget.Share })];
        }

        public void Dispose() => _weights?.Dispose();

        Variant Write(string id, PlannedVariant planned, SharedWeights weights)
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
            using var session = new ModelSession(path, exporter._settings);
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
                reference.Graph.Initializer.Remove(reference.Initializer(name));
                reference.Graph.Initializer.Add(model.Initializer(name));
            }

            using var session = Scratch(reference);
            return Outputs(session);
        }

        float[] Outputs(ModelSession session) => [.. Accuracy.Run(session, _check, cancellation).SelectMany(batch => batch.Scores)];

        ModelSession Scratch(OnnxModel model)
        {
            var path = Path.Combine(output.Scratch, "model.onnx");
            model.Save(path);
            return new ModelSession(path, exporter._settings);
        }

        void Tell(string doing)
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(new ExportProgress(doing, _done, total));
        }

        static string IdOf(Budget budget) => "b" + (100 * budget.Share).ToString("0.####", CultureInfo.InvariantCulture);

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
            var values = new float[count * shape.Aggregate(1, (product, size) => checked(product * size))];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = 2 * random.NextSingle() - 1;
            }

            return SampleSet.FromFloats("random", [.. shape], 1, values, new int[count]);
        }
    }
}
