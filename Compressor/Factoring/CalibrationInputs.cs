using MaestroDeploy.Runtime;

namespace MaestroDeploy.Compressor.Factoring;

/// <summary>The batches that a graph is run on to see what its layers answer.</summary>
/// <param name="session">The graph, loaded: it tells the names, types and shapes that it takes.</param>
/// <param name="largestBatch">Samples that one batch may hold where the graph leaves it open, 1 and more.</param>
/// <returns>Batches, each a tensor for every input; they are drawn while the graph runs.</returns>
public delegate IEnumerable<IReadOnlyList<InputTensor>> CalibrationInputs(ModelSession session, int largestBatch);
