namespace MaestroDeploy.Exporter;

/// <summary>A family could not be made from what was given; nothing was written.</summary>
/// <param name="message">What was found, and what to do.</param>
/// <param name="cause">The error underneath, if there is one.</param>
public sealed class ExportException(string message, Exception? cause = null) : Exception(message, cause);
