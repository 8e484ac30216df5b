using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;

namespace MaestroDeploy.Compressor.Models;

/// <summary>Linear layers with Relu between them.</summary>
static class Mlp
{
    public static OnnxModel Create(ReadOnlySpan<int> sampleShape, int classes, int seed, IReadOnlyList<int> hidden)
    {
        var g = new GraphBuilder("mlp", seed);
        var x = g.Flatten(g.Input("image", sampleShape));                        // [N, features]
        for (var i = 0; i < hidden.Count; i++)
        {
            x = g.Relu(g.Linear(x, $"fc{i + 1}", hidden[i]));                    // [N, hidden]
        }

        return g.Build(g.Linear(x, "logits", classes));                          // [N, classes]
    }
}
