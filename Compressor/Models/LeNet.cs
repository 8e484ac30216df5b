using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;

namespace MaestroDeploy.Compressor.Models;

/// <summary>LeNet-5 with Relu and max pools, as the Maestro paper trains it: 281,640 MACs and 44,426 parameters on 28x28.</summary>
static class LeNet
{
    public static OnnxModel Create(ReadOnlySpan<int> sampleShape, int classes, int seed)
    {
        BuiltInModels.RequireImages("lenet", sampleShape, least: 16);
        var g = new GraphBuilder("lenet", seed);
        var x = g.Input("image", sampleShape);                                   // [N, 1, 28, 28]
        x = g.MaxPool(g.Relu(g.Conv(x, "conv1", channels: 6, kernel: 5)), 2);    // [N, 6, 12, 12]
        x = g.MaxPool(g.Relu(g.Conv(x, "conv2", channels: 16, kernel: 5)), 2);   // [N, 16, 4, 4]
        x = g.Relu(g.Linear(g.Flatten(x), "fc1", 120));                          // [N, 120]
        x = g.Relu(g.Linear(x, "fc2", 84));                                      // [N, 84]
        return g.Build(g.Linear(x, "logits", classes));                          // [N, classes]
    }
}
