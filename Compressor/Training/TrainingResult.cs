using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Compressor.Training;

/// <summary>Where a run is, told after each step.</summary>
/// <param name="Epoch">From 1; 0 while plans are tried.</param>
/// <param name="Epochs">Of how many.</param>
/// <param name="Step">Step of the epoch, from 1.</param>
/// <param name="Steps">Steps an epoch.</param>
/// <param name="Loss">Mean loss of the epoch so far.</param>
/// <param name="SamplesPerSecond">Samples trained in a second of this epoch so far.</param>
/// <param name="Remaining">What the rest of the run takes at this rate.</param>
public sealed record TrainingProgress(int Epoch, int Epochs, int Step, int Steps, double Loss, double SamplesPerSecond, TimeSpan Remaining)
{
    /// <summary>While plans are tried, which is before the first epoch: the plan, from 1, and of how many. The epoch is 0 then, the steps and the rate are those of the trial, and the loss is the step's.</summary>
    public (int Plan, int Plans)? Trial { get; init; }
}

/// <summary>One epoch, as a line of <c>metrics.jsonl</c>.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Loss">Mean loss over the epoch's steps: of the full pass plus those at sampled ranks.</param>
/// <param name="TrainAccuracy">Share of training answers that were right while training, at the ranks of the step's first pass, 0 to 1; null without labels.</param>
/// <param name="ValidationLoss">Mean loss on the held-out split at current ranks (beside plans, and without a full pass, at the first plan), of labels the cross-entropy in nats; null where none is held out.</param>
/// <param name="ValidationAccuracy">Share of right answers there, at current ranks, 0 to 1; null without labels.</param>
/// <param name="LearningRate">At the epoch's end.</param>
/// <param name="Params">Parameters of the model, each factored layer at the cheaper of pair and dense.</param>
/// <param name="Macs">Multiply-accumulates a sample, counted the same way.</param>
/// <param name="TrainingMacs">Multiply-accumulates spent on training so far, a backward pass counted as two forward ones.</param>
/// <param name="Ranks">The current rank of each factored layer; 0 where only the bias is left.</param>
/// <param name="Importance">‖u_b‖·‖v_b‖ of each component of each factored layer, four digits.</param>
/// <param name="Seconds">Wall time of the epoch.</param>
public sealed record EpochMetrics(
    int Epoch, double Loss, double? TrainAccuracy, double? ValidationLoss, double? ValidationAccuracy, double LearningRate, long Params, long Macs, double TrainingMacs,
    IReadOnlyDictionary<string, int> Ranks, IReadOnlyDictionary<string, float[]> Importance, double Seconds);

/// <summary>What a run came to.</summary>
/// <param name="Model">The model of the best epoch, or of the last where nothing was held out; the start, where plans were trained and no epoch was better.</param>
/// <param name="Epochs">Every epoch's metrics.</param>
/// <param name="BestEpoch">The epoch that the model is of, from 1; 0 for the start.</param>
/// <param name="Plans">The best of the options' plans for each budget, by their places among them; null where no plans were trained.</param>
public sealed record TrainingResult(LodModel Model, IReadOnlyList<EpochMetrics> Epochs, int BestEpoch, IReadOnlyList<int>? Plans = null);
