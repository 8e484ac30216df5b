namespace MaestroDeploy.Compressor.Graph;

/// <summary>A model uses something that the trainable graph lacks. It can still be run, only not trained here.</summary>
/// <param name="model">The model, as its messages name it.</param>
/// <param name="node">The node at fault.</param>
/// <param name="why">What is lacking.</param>
public sealed class UntrainableModelException(string model, string node, string why)
    : Exception($"{model}: node '{node}' cannot be trained here: {why}");
