namespace MaestroDeploy.Profiles;

/// <summary>What a training run came to.</summary>
/// <param name="Model">The model's name or file.</param>
/// <param name="Epochs">Passes over the training data.</param>
/// <param name="Params">Numbers in the trained model's weights.</param>
/// <param name="Macs">Its multiply-accumulates for one sample.</param>
/// <param name="Ranks">The largest rank that each factored layer keeps; 0 where only its bias is left.</param>
/// <param name="BestEpoch">The epoch that the model is of, from 1; 0 where no epoch was better than the start.</param>
/// <param name="Accuracy">Share of correct answers on held-out data, in 0..1; absent where there are no labels.</param>
/// <param name="Perplexity">e to the mean cross-entropy in nats, of models of language; absent for others.</param>
public sealed record TrainingReport(
    string Model, int Epochs, long Params, long Macs, IReadOnlyDictionary<string, int> Ranks, int BestEpoch, double? Accuracy = null, double? Perplexity = null);
