namespace MaestroDeploy.Tests;

/// <summary>The folder <c>shared</c> beside the checkout, which not every machine has.</summary>
static class SharedFolder
{
    const string Solution = "MaestroDeploy.sln";

    /// <summary>The folder, or null where there is none.</summary>
    public static string? Path { get; } = Find();

    /// <summary>The path of a file or folder in it; the test is inconclusive when that is not there.</summary>
    public static string Require(params string[] parts)
    {
        var wanted = System.IO.Path.Combine(parts);
        var found = Path is null ? null : System.IO.Path.Combine(Path, wanted);
        if (!System.IO.Path.Exists(found))
        {
            Assert.Inconclusive($"This test needs {wanted} in the folder 'shared' beside the checkout, and it is not there.");
        }

        return found!;
    }

    /// <summary>The folder of the checkout that these tests were built from, or null where they run apart from it.</summary>
    public static DirectoryInfo? Checkout()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(System.IO.Path.Combine(folder.FullName, Solution)))
        {
            folder = folder.Parent;
        }

        return folder;
    }

    static string? Find()
    {
        var shared = Checkout()?.Parent is { } above ? System.IO.Path.Combine(above.FullName, "shared") : null;
        return Directory.Exists(shared) ? shared : null;
    }
}
