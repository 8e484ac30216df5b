using MaestroDeploy.Compressor.Factoring;
using MaestroDeploy.Compressor.Models;
using MaestroDeploy.Compressor.Training;
using MaestroDeploy.Compressor.Training.Tasks;
using MaestroDeploy.Data;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Tests;

/// <summary>Small trained models, each trained once for all tests that want one.</summary>
static class SmallModels
{
    public static DataSet Digits { get; } = DataSets.Load("digits");

    static readonly Lazy<LodModel> TrainedMlp = new(() => Train(
        SvdFactoring.Factor(BuiltInModels.Create("mlp", [1, 8, 8], 10, seed: 1, new ModelSize([96, 80])), new LodProvenance("mlp", "digits", Digits.Scaling))));

    static readonly Lazy<LodModel> TrainedConvolutions = new(() =>
    {
        var g = new GraphBuilder("convolutions", seed: 1);
        var x = g.Relu(g.BatchNorm(g.Conv(g.Input("image", 1, 8, 8), "conv1", channels: 16, kernel: 3, pad: 1), "norm1"));
        x = g.MaxPool(g.Relu(g.BatchNorm(g.Conv(x, "conv2", channels: 24, kernel: 3, pad: 1, bias: false), "norm2")), 2);
        var model = g.Build(g.Linear(g.Flatten(x), "logits", 10));
        return Train(SvdFactoring.Factor(model, new LodProvenance("convolutions", "digits", Digits.Scaling)));
    });

    /// <summary>An MLP 64-96-80-10, some epochs on the digits.</summary>
    public static LodModel Mlp => TrainedMlp.Value;

    /// <summary>Two convolutions with BatchNorm and a linear head, some epochs on the digits.</summary>
    public static LodModel Convolutions => TrainedConvolutions.Value;

    static LodModel Train(LodModel model) => new Trainer(new TrainingOptions { Epochs = 6, BatchSize = 64 }).Train(model, new ClassificationTask(Digits.Train)).Model;
}
