using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Cost;
using MaestroDeploy.Onnx.Protos;
using MaestroDeploy.Runtime;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;

namespace MaestroDeploy.Exporter.Verification;

/// <summary>Moves BatchNorm's mean and variance by what a cut changes in a variant's activations, all inside ONNX Runtime.</summary>
/// <remarks>
/// <para>
/// A cut layer feeds the norms after it other numbers than those they were trained on, and without new statistics accuracy
/// collapses. The graph that measures computes each norm from its batch, as training does, and gives those statistics out.
/// </para>
/// <para>
/// Both the variant and the uncut model are measured, and the trained statistics are moved by the difference: training saw its own,
/// varied samples, and a model that nothing is cut from must stay as it was trained.
/// </para>
/// </remarks>
static class BatchNormRecalibration
{
    /// <summary>The norms of a graph that can be moved; others stay as they were trained.</summary>
    /// <remarks>Their statistics are initializers of a type that can be written, one a channel, and the axes of what they normalise are known.</remarks>
    public static IReadOnlyList<NodeProto> Norms(OnnxModel model)
    {
        var shapes = Shapes.Of(model);
        return [.. model.Graph.Node.Where(node => node.IsStandard() && node.OpType == "BatchNormalization"
            && node.Int("spatial", 1) != 0 && shapes[node.Input[0]] is not null && node.Input.Skip(3).All(name => IsWritable(model.Initializer(name))))];
    }

    /// <summary>A copy of a model whose norms use their batch's statistics; its only outputs are each norm's mean, then its variance.</summary>
    public static OnnxModel MeasuringGraph(OnnxModel model)
    {
        var measuring = model.Clone();
        var shapes = Shapes.Of(model);
        measuring.Graph.Output.Clear();
        foreach (var norm in Norms(measuring))
        {
            InsertStatistics(measuring, norm, [0, .. Enumerable.Range(2, shapes[norm.Input[0]]!.Count - 2).Select(axis => (long)axis)]);
        }

        return measuring;
    }

    /// <summary>Runs a measuring graph over some samples and averages what its outputs came to.</summary>
    public static IReadOnlyList<float[]> Measure(ModelSession session, EvaluationData data, int samples, CancellationToken cancellation)
    {
        var sums = session.Outputs.Select(_ => Array.Empty<double>()).ToArray();
        var seen = 0;
        foreach (var batch in data.Calibration(session, samples))
        {
            cancellation.ThrowIfCancellationRequested();
            var outputs = data.Run(session, batch);
            seen += batch.Samples;
            for (var i = 0; i < sums.Length; i++)
            {
                // Weighed by its samples: a last, smaller batch counts for less.
                var weighed = outputs[i].Values.Select(value => (double)value * batch.Samples);
                sums[i] = sums[i].Length == 0 ? [.. weighed] : [.. sums[i].Zip(weighed, (sum, value) => sum + value)];
            }
        }

        return [.. sums.Select(sum => Array.ConvertAll(sum, value => (float)(value / seen)))];
    }

    /// <summary>Moves a model's statistics: means by the difference of what was measured, variances by the ratio, where there is one.</summary>
    /// <param name="model">The model that <see cref="MeasuringGraph"/> was made from.</param>
    /// <param name="cut">What its outputs came to, in their order.</param>
    /// <param name="uncut">What those of the uncut model came to, on the same samples.</param>
    /// <remarks>Statistics that several norms share are moved once, by what those norms' activations came to on average.</remarks>
    public static void Apply(OnnxModel model, IReadOnlyList<float[]> cut, IReadOnlyList<float[]> uncut)
    {
        var norms = Norms(model);
        Move(statistic: 0, (trained, now, before) => trained + (now - before));
        Move(statistic: 1, (trained, now, before) => before > 0 ? trained * now / before : Math.Max(trained, now)); // a dead channel has no ratio, nor has one of a single value

        void Move(int statistic, Func<float, float, float, float> moved)
        {
            foreach (var uses in norms.Select((norm, i) => (Name: norm.Input[3 + statistic], Output: 2 * i + statistic)).GroupBy(use => use.Name, use => use.Output))
            {
                var trained = model.Initializer(uses.Key)!;
                var values = model.Floats(trained).Select((value, channel) =>
                    moved(value, uses.Average(output => cut[output][channel]), uses.Average(output => uncut[output][channel])));
                model.ReplaceInitializer(TensorValues.Create(uses.Key, [.. trained.Dims], [.. values], (DataType)trained.DataType));
            }
        }
    }

    static bool IsWritable(TensorProto? statistic) => statistic is { DataType: (int)DataType.Float or (int)DataType.Float16 };

    static void InsertStatistics(OnnxModel model, NodeProto norm, long[] axes)
    {
        var (x, name) = (norm.Input[0], norm.Output[0]);
        string single = $"{name}.single", wide = $"{name}.batch_mean_wide", deviation = $"{name}.deviation", square = $"{name}.square";
        string mean = $"{name}.batch_mean", variance = $"{name}.batch_variance";
        NodeProto[] nodes =
        [
            Cast(x, single, DataType.Float), // the squares of half a precision pass its largest number soon
            ReduceMean(model, single, wide, axes, keep: 1),
            ReduceMean(model, single, mean, axes, keep: 0),
            Node("Sub", deviation, single, wide),
            Node("Mul", square, deviation, deviation),
            ReduceMean(model, square, variance, axes, keep: 0),
            Cast(mean, $"{mean}.typed", TypeOf(norm.Input[3])),
            Cast(variance, $"{variance}.typed", TypeOf(norm.Input[4])),
        ];
        var at = model.Graph.Node.IndexOf(norm);
        for (var i = 0; i < nodes.Length; i++)
        {
            model.Graph.Node.Insert(at + i, nodes[i]);
        }

        (norm.Input[3], norm.Input[4]) = ($"{mean}.typed", $"{variance}.typed");
        foreach (var output in new[] { mean, variance })
        {
            var type = new TypeProto.Types.Tensor { ElemType = (int)DataType.Float };
            model.Graph.Output.Add(new ValueInfoProto { Name = output, Type = new TypeProto { TensorType = type } });
        }

        DataType TypeOf(string statistic) => (DataType)model.Initializer(statistic)!.DataType;
    }

    static NodeProto Cast(string x, string output, DataType type) => Node("Cast", output, x).With("to", (long)type);

    static NodeProto ReduceMean(OnnxModel model, string x, string output, long[] axes, long keep)
    {
        var node = Node("ReduceMean", output, x).With("keepdims", keep);
        if (model.Opset < 18)
        {
            return node.With("axes", axes);
        }

        // From opset 18 on the axes are an input.
        model.Graph.Initializer.Add(TensorValues.Create($"{output}.axes", [axes.Length], axes));
        node.Input.Add($"{output}.axes");
        return node;
    }

    static NodeProto Node(string operation, string output, params string[] inputs) => Nodes.Create(operation, output, output, inputs);
}
