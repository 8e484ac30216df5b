using System.IO.Enumeration;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Compressor.Factoring;

/// <summary>Which of a model's factorable layers are factored; the others stay dense.</summary>
/// <param name="SkipFirst">Layers left alone at the start of the graph, 0 and more.</param>
/// <param name="SkipLast">Layers left alone at its end, 0 and more.</param>
/// <param name="Names">Patterns with * and ?; a layer must match one of them. None given: any name does.</param>
public sealed record LayerChoice(int SkipFirst = 0, int SkipLast = 0, params IReadOnlyList<string> Names)
{
    /// <summary>Every layer.</summary>
    public static LayerChoice All { get; } = new();

    /// <summary>The layers to factor.</summary>
    /// <param name="layers">All factorable layers, in the order of the graph.</param>
    public IEnumerable<WeightLayer> Of(IReadOnlyList<WeightLayer> layers) => layers
        .Take(Math.Max(0, layers.Count - SkipLast)).Skip(SkipFirst)
        .Where(layer => Names.Count == 0 || Names.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, layer.Name)));
}
