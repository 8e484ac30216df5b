namespace MaestroDeploy.Tests.Cli;

/// <summary>README's road, command by command, as a reader would type it.</summary>
[TestClass]
public sealed class ReadmeTests
{
    [TestMethod]
    public void Commands_InTheirOrder_AllSucceed()
    {
        const string Prompt = "maestro ";
        var root = SharedFolder.Checkout()!.FullName;
        var commands = File.ReadAllLines(Path.Combine(root, "README.md")).Where(line => line.StartsWith(Prompt, StringComparison.Ordinal))
            .Select(line => line[Prompt.Length..].Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToList();
        using var folder = new TemporaryFolder();
        folder.Write("docs/digit.npy", File.ReadAllBytes(Path.Combine(root, "docs/digit.npy")));
        var before = Environment.CurrentDirectory;
        Environment.CurrentDirectory = folder.Path;
        try
        {
            foreach (var command in commands)
            {
                CommandLine.Run(command).Succeeded();
            }
        }
        finally
        {
            Environment.CurrentDirectory = before;
        }

        CollectionAssert.IsSubsetOf(new[] { "train", "export", "profile", "select", "run", "inspect", "doctor" }, commands.Select(command => command[0]).ToArray());
    }
}
