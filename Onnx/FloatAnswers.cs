using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx;

/// <summary>The numbers by which a graph's answers are told apart: its float outputs, or, where none of them is a float, the floats that they are made from.</summary>
/// <remarks>A class or a mask changes by leaps: no gradient leads through one, and two runs that differ in a last digit may differ in it.</remarks>
public static class FloatAnswers
{
    /// <summary>Operators that give whole numbers or truth values for floats.</summary>
    static readonly HashSet<string> Leaps =
        ["ArgMax", "ArgMin", "Equal", "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual", "NonMaxSuppression", "NonZero", "QuantizeLinear"];

    /// <summary>Operators that look at the shape alone of what they take.</summary>
    static readonly HashSet<string> Measures = ["Shape", "Size"];

    /// <summary>Operators after which a class is still the number that it was.</summary>
    static readonly HashSet<string> Keepers = ["Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"];

    /// <summary>The names of the values, in the order of the outputs.</summary>
    /// <param name="model">Any model.</param>
    /// <returns>Where no float is found behind them, the outputs' names.</returns>
    public static IReadOnlyList<string> Of(OnnxModel model)
    {
        var outputs = model.Graph.Output;
        if (outputs.Any(IsFloat))
        {
            return Names(outputs.Where(IsFloat));
        }

        var types = new ValueTypes(model);
        var found = new List<string>();
        var seen = outputs.Select(output => output.Name).ToHashSet();
        var left = new Stack<string>(Names(outputs).Reverse());
        while (left.TryPop(out var value))
        {
            if (types.IsFloat(value))
            {
                found.Add(value);
            }
            else if (types.Producer(value) is { } node && !Measures.Contains(node.OpType))
            {
                foreach (var input in node.Input.Reverse().Where(input => types.Producer(input) is not null && seen.Add(input)))
                {
                    left.Push(input);
                }
            }
        }

        return found.Count > 0 ? found : Names(outputs);
    }

    /// <summary>The logits behind the first of them, where it is what a Softmax makes of these, maybe passed on or cast to another float; else null.</summary>
    /// <param name="model">Any model.</param>
    public static string? BeforeSoftmax(OnnxModel model)
    {
        var (types, value) = (new ValueTypes(model), Of(model)[0]);
        while (types.Producer(value) is { OpType: "Identity" or "Cast" } copy && types.IsFloat(copy.Input[0]))
        {
            value = copy.Input[0];
        }

        return types.Producer(value) is { OpType: "Softmax" } last ? last.Input[0] : null;
    }

    /// <summary>A model that gives them out.</summary>
    /// <param name="model">Any model; it is not changed.</param>
    /// <returns>The model itself where they are among its outputs; else a copy without other outputs, all data inline.</returns>
    /// <exception cref="OnnxFormatException">A copy is needed, and its data files cannot be brought into it.</exception>
    public static OnnxModel Given(OnnxModel model)
    {
        var answers = Of(model);
        if (!answers.Except(Names(model.Graph.Output)).Any())
        {
            return model;
        }

        var copy = model.Clone();
        copy.InlineData();
        copy.Graph.Output.Clear();
        copy.Graph.Output.AddRange(answers.Select(answer => new ValueInfoProto { Name = answer })); // of whatever type and shape
        return copy;
    }

    /// <summary>Whether the largest number of the first answer is that of the class which the model gives: it gives the numbers themselves, or where they are largest.</summary>
    /// <param name="model">Any model.</param>
    public static bool AreScores(OnnxModel model)
    {
        var answer = Of(model)[0];
        if (model.Graph.Output.Any(output => output.Name == answer))
        {
            return true;
        }

        var (types, value) = (new ValueTypes(model), model.Graph.Output[0].Name);
        while (types.Producer(value) is { } node && Keepers.Contains(node.OpType))
        {
            value = node.Input[0];
        }

        return types.Producer(value) is { OpType: "ArgMax" } largest && largest.Input[0] == answer;
    }

    static string[] Names(IEnumerable<ValueInfoProto> values) => [.. values.Select(value => value.Name)];

    static bool IsFloat(ValueInfoProto value) => value.Type?.TensorType is { } tensor && ElementTypes.IsFloat(tensor.ElemType);

    /// <summary>What is known of the types of a graph's values without running it.</summary>
    sealed class ValueTypes
    {
        readonly Dictionary<string, NodeProto> _producers = [];
        readonly Dictionary<string, bool> _stated = [];

        public ValueTypes(OnnxModel model)
        {
            var graph = model.Graph;
            foreach (var (node, output) in graph.Node.SelectMany(node => node.Output, (node, output) => (node, output)).Where(one => one.output.Length > 0))
            {
                _producers[output] = node;
            }

            foreach (var node in graph.Node.Where(node => node is { OpType: "Constant", Output.Count: > 0 }))
            {
                _stated[node.Output[0]] = node.ConstantTensor() is { } constant && ElementTypes.IsFloat(constant.DataType);
            }

            foreach (var value in graph.Input.Concat(graph.ValueInfo).Concat(graph.Output).Where(value => value.Type?.TensorType is { ElemType: not 0 }))
            {
                _stated[value.Name] = FloatAnswers.IsFloat(value);
            }

            foreach (var tensor in graph.Initializer)
            {
                _stated[tensor.Name] = ElementTypes.IsFloat(tensor.DataType);
            }
        }

        /// <summary>The node that computes a value; null for what is fed, stored or constant.</summary>
        public NodeProto? Producer(string value) => _producers.TryGetValue(value, out var node) && node.OpType != "Constant" ? node : null;

        /// <summary>Whether a value is a float, as far as stated types and operators tell: most give what they take.</summary>
        public bool IsFloat(string value)
        {
            while (!_stated.ContainsKey(value))
            {
                if (Producer(value) is not { Input.Count: > 0 } node || Leaps.Contains(node.OpType) || Measures.Contains(node.OpType) || node.Output[0] != value)
                {
                    return false;
                }

                switch (node.OpType)
                {
                    case "Cast":
                        return ElementTypes.IsFloat((int)node.Int("to", 0));
                    case "DequantizeLinear":
                        return true;
                    default:
                        value = node.Input[node.OpType == "Where" ? 1 : 0];
                        break;
                }
            }

            return _stated[value];
        }
    }
}
