using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Cost;
using MaestroDeploy.Onnx.Protos;
using MaestroDeploy.Runtime;

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
    /// <summary>The norms of a graph whose statistics are initializers.</summary>
    public static IReadOnlyList<NodeProto> Norms(OnnxModel model) =>
        [.. model.Graph.Node.Where(node => node.OpType == "BatchNormalization" && model.Initializer(node.Input[3]) is not null)];

    /// <summary>A copy of a model whose norms use their batch's statistics; its only outputs are each norm's mean, then its variance.</summary>
    public static OnnxModel MeasuringGraph(OnnxModel model)
    {
        var measuring = model.Clone();
        var shapes = Shapes.Of(model);
        measuring.Graph.Output.Clear();
        foreach (var norm in Norms(measuring))
        {
            var axes = shapes[norm.Input[0]]?.Count
                ?? throw new OnnxFormatException(model.Name, $"BatchNormalization '{norm.Name}' cannot be recalibrated: its input's shape is not known");
            InsertStatistics(measuring, norm, [0, .. Enumerable.Range(2, axes - 2).Select(axis => (long)axis)]);
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

    /// <summary>Moves a model's statistics: means by the difference of what was measured, variances by the ratio.</summary>
    /// <param name="model">The model that <see cref="MeasuringGraph"/> was made from.</param>
    /// <param name="cut">What its outputs came to, in their order.</param>
    /// <param name="uncut">What those of the uncut model came to, on the same samples.</param>
    public static void Apply(OnnxModel model, IReadOnlyList<float[]> cut, IReadOnlyList<float[]> uncut)
    {
        var i = 0;
        foreach (var norm in Norms(model))
        {
            Move(norm.Input[3], (trained, now, before) => trained + (now - before));
            Move(norm.Input[4], (trained, now, before) => before > 0 ? trained * now / before : now); // a dead channel has no ratio
        }

        void Move(string name, Func<float, float, float, float> moved)
        {
            var trained = model.Initializer(name)!;
            var (now, before) = (cut[i], uncut[i++]);
            model.ReplaceInitializer(TensorValues.Create(name, [.. trained.Dims], [.. model.Floats(trained).Select((value, channel) => moved(value, now[channel], before[channel]))]));
        }
    }

    static void InsertStatistics(OnnxModel model, NodeProto norm, long[] axes)
    {
        var (x, name) = (norm.Input[0], norm.Output[0]);
        string wide = $"{name}.batch_mean_wide", deviation = $"{name}.deviation", square = $"{name}.square";
        string mean = $"{name}.batch_mean", variance = $"{name}.batch_variance";
        NodeProto[] nodes =
        [
            ReduceMean(model, x, wide, axes, keep: 1),
            ReduceMean(model, x, mean, axes, keep: 0),
            Node("Sub", deviation, x, wide),
            Node("Mul", square, deviation, deviation),
            ReduceMean(model, square, variance, axes, keep: 0),
        ];
        var at = model.Graph.Node.IndexOf(norm);
        for (var i = 0; i < nodes.Length; i++)
        {
            model.Graph.Node.Insert(at + i, nodes[i]);
        }

        (norm.Input[3], norm.Input[4]) = (mean, variance);
        foreach (var output in new[] { mean, variance })
        {
            var type = new TypeProto.Types.Tensor { ElemType = (int)TensorProto.Types.DataType.Float };
            model.Graph.Output.Add(new ValueInfoProto { Name = output, Type = new TypeProto { TensorType = type } });
        }
    }

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
