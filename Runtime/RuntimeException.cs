namespace MaestroDeploy.Runtime;

/// <summary>Something outside the program cannot be used: a device, a graph or a family.</summary>
/// <param name="message">What, what was found, and what to do.</param>
/// <param name="cause">What the layer below said, if it spoke.</param>
public abstract class RuntimeException(string message, Exception? cause) : Exception(message, cause);

/// <summary>The device that was asked for is not there, or this build cannot drive it.</summary>
/// <inheritdoc/>
public sealed class DeviceException(string message, Exception? cause = null) : RuntimeException(message, cause);

/// <summary>A graph cannot be loaded, or fails when it runs.</summary>
/// <param name="path">The graph's file.</param>
/// <param name="why">What is wrong with it.</param>
/// <param name="cause">What ONNX Runtime said, if it was the one to refuse.</param>
public sealed class ModelException(string path, string why, Exception? cause = null) : RuntimeException($"{path}: {why}", cause);

/// <summary>A folder is not the family that its manifest describes.</summary>
/// <param name="path">The folder, or the file in it.</param>
/// <param name="why">What was expected and what was found.</param>
public sealed class FamilyException(string path, string why) : RuntimeException($"{path}: {why}", null);
