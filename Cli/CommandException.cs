namespace MaestroDeploy.Cli;

/// <summary>A command cannot do what was asked, for a reason that its message gives in one line: exit code 1.</summary>
/// <param name="message">What was found, and what to do.</param>
sealed class CommandException(string message) : Exception(message);

/// <summary>What was asked makes no sense: exit code 2.</summary>
/// <param name="message">Which option or argument, the value found, and what it may be.</param>
sealed class UsageException(string message) : Exception(message)
{
    /// <summary>Makes a value from options, and calls what its type refuses wrong usage.</summary>
    public static T Check<T>(Func<T> make)
    {
        try
        {
            return make();
        }
        catch (ArgumentException e)
        {
            throw new UsageException(e.Message.Replace($" (Parameter '{e.ParamName}')", ""));
        }
    }
}
