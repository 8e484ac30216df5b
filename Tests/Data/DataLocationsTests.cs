using MaestroDeploy.Data;

namespace MaestroDeploy.Tests.Data;

[TestClass]
public sealed class DataLocationsTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [TestMethod]
    public void Folders_AFolderAskedFor_IsTheOnlyOne() =>
        CollectionAssert.AreEqual(new[] { "asked" }, DataLocations.Folders("asked", Environment(("MAESTRO_DATA", "named"))).ToArray());

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    public void Folders_NothingAskedFor_AreTheVariableThenTheCacheThenTheSystem()
    {
        var environment = Environment(("MAESTRO_DATA", "named"), ("XDG_CACHE_HOME", "/caches"), ("HOME", "/home/me"));

        var folders = DataLocations.Folders(null, environment);

        CollectionAssert.AreEqual(new[] { "named", "/caches/maestro/data", "/usr/share/datasets" }, folders.ToArray());
    }

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    [DataRow(null, DisplayName = "none named")]
    [DataRow("", DisplayName = "an empty name")]
    [DataRow("caches", DisplayName = "a relative name")]
    public void Folders_NoCacheOfItsOwn_UsesTheOneInTheHome(string? cache)
    {
        var folders = DataLocations.Folders(null, Environment(("MAESTRO_DATA", ""), ("XDG_CACHE_HOME", cache), ("HOME", "/home/me")));

        CollectionAssert.AreEqual(new[] { "/home/me/.cache/maestro/data", "/usr/share/datasets" }, folders.ToArray());
    }

    [TestMethod]
    public void Find_AFolderWithOnlySomeOfTheFiles_SaysWhichAreLackingAndTheRemedy()
    {
        _folder.Write("mnist/train-images-idx3-ubyte", []);
        _folder.Write("mnist/t10k-labels-idx1-ubyte.gz", []);

        var error = Assert.ThrowsExactly<DataFormatException>(() => DataLocations.Find(PublicSets.Mnist, _folder.Path));

        var place = Path.Combine(_folder.Path, "mnist");
        StringAssert.Contains(error.Message, $"{place} (lacks train-labels-idx1-ubyte, t10k-images-idx3-ubyte)");
        StringAssert.Contains(error.Message, $"`maestro data get mnist --dir {_folder.Path}`");
    }

    [TestMethod]
    public void Find_AFolderThatIsNotThere_SaysSo()
    {
        var nowhere = Path.Combine(_folder.Path, "nowhere");

        var error = Assert.ThrowsExactly<DataFormatException>(() => DataLocations.Find(PublicSets.Cifar10, nowhere));

        StringAssert.Contains(error.Message, $"{Path.Combine(nowhere, "cifar-10-batches-bin")} (no such folder)");
    }

    static Func<string, string?> Environment(params (string Name, string? Value)[] variables) =>
        name => variables.FirstOrDefault(variable => variable.Name == name).Value;
}
