namespace MaestroDeploy.Data;

/// <summary>A file that appears whole or not at all, in place of one already there.</summary>
static class FileBeside
{
    /// <summary>Writes beside <paramref name="path"/> and renames.</summary>
    public static void Write(string path, Action<Stream> write)
    {
        var beside = $"{path}.{Guid.NewGuid():n}.tmp";
        try
        {
            using (var file = File.Create(beside))
            {
                write(file);
            }

            File.Move(beside, path, overwrite: true);
        }
        finally
        {
            File.Delete(beside); // gone already, unless something above failed
        }
    }
}
