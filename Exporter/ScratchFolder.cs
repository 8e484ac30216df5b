namespace MaestroDeploy.Exporter;

/// <summary>A folder for files that do not stay, among the system's temporary ones.</summary>
sealed class ScratchFolder : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("maestro-");

    public string Path => _folder.FullName;

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);
}
