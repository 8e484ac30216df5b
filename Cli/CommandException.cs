namespace MaestroDeploy.Cli;

/// <summary>A command cannot do what was asked, for a reason that its message gives in one line: exit code 1.</summary>
/// <param name="message">What was found, and what to do.</param>
sealed class CommandException(string message) : Exception(message);
