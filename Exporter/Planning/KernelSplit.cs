using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Exporter.Planning;

/// <summary>Time of some nodes, and their number.</summary>
/// <param name="Us">Microseconds as a profile tells them, the timer's own in each node.</param>
/// <param name="Nodes">How many nodes.</param>
public readonly record struct NodeTime(double Us, int Nodes)
{
    /// <summary>Both together.</summary>
    public static NodeTime operator +(NodeTime a, NodeTime b) => new(a.Us + b.Us, a.Nodes + b.Nodes);
}

/// <summary>What a graph's nodes took, by the layer that they belong to.</summary>
/// <remarks>
/// A node belongs to the last factorable layer before it: an activation or a norm that is fused into a convolution is then counted
/// where it was fused, and a change of layout behind a layer with that layer. ONNX Runtime names a fused node after one of its
/// nodes or after its output, and adds words of its own.
/// </remarks>
public sealed class KernelSplit
{
    static readonly string[] Added = ["fused ", "_nchwc"];

    // What a layer's nodes are called after its name, in any form.
    static readonly string[] Parts = ["", ".project", ".expand", ".turn", ".join", ".order"];

    /// <param name="model">The graph as it was given to ONNX Runtime.</param>
    /// <param name="pairs">Its factorable layers.</param>
    /// <param name="kernels">Its nodes as they ran.</param>
    /// <param name="counts">Which of them are counted; null for all.</param>
    public KernelSplit(OnnxModel model, IReadOnlyList<FactorPair> pairs, IReadOnlyList<KernelTime> kernels, Func<KernelTime, bool>? counts = null)
    {
        var owners = Owners(model, pairs);
        var layers = new NodeTime[pairs.Count];
        var now = -1;
        foreach (var kernel in kernels)
        {
            now = Owner(owners, kernel.Node) ?? now;
            var time = counts?.Invoke(kernel) == false ? default : new NodeTime(kernel.Us, 1);
            if (now < 0)
            {
                Outside += time;
            }
            else
            {
                layers[now] += time;
            }
        }

        Layers = layers;
    }

    /// <summary>What each layer took, in the order of the pairs.</summary>
    public IReadOnlyList<NodeTime> Layers { get; }

    /// <summary>What came before the first layer.</summary>
    public NodeTime Outside { get; }

    /// <summary>Everything together.</summary>
    public NodeTime Whole => Layers.Aggregate(Outside, (sum, time) => sum + time);

    // By the names of nodes and of their outputs, in the order of the graph.
    static Dictionary<string, int> Owners(OnnxModel model, IReadOnlyList<FactorPair> pairs)
    {
        var parts = pairs.Index().SelectMany(pair => Parts.Select(part => (Name: pair.Item.Layer + part, Layer: pair.Index)))
            .ToDictionary(part => part.Name, part => part.Layer);
        var owners = new Dictionary<string, int>();
        var now = -1;
        foreach (var node in model.Graph.Node)
        {
            now = parts.GetValueOrDefault(node.Name, parts.GetValueOrDefault(OfFirstUse(node.Name), now));
            foreach (var name in node.Output.Append(node.Name).Where(name => name.Length > 0))
            {
                owners.TryAdd(name, now);
            }
        }

        return owners;
    }

    // The second node that a shared weight serves is called x.2, x.project.2 and so on.
    static string OfFirstUse(string name) => name.LastIndexOf('.') is > 0 and var dot && name.AsSpan(dot + 1).IndexOfAnyExceptInRange('0', '9') < 0 ? name[..dot] : name;

    static int? Owner(Dictionary<string, int> owners, string kernel)
    {
        var name = Added.Aggregate(kernel, (name, added) => name.Replace(added, ""));
        if (name.LastIndexOf("_token_", StringComparison.Ordinal) is > 0 and var at)
        {
            name = name[..at];
        }

        return owners.TryGetValue(name, out var owner) ? owner : null;
    }
}
