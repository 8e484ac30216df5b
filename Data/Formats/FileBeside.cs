namespace MaestroDeploy.Data;

/// <summary>A file that appears whole or not at all, in place of one already there.</summary>
public static class FileBeside
{
    /// <summary>Writes beside a path and renames.</summary>
    /// <param name="path">The file to create or replace; its folder must exist.</param>
    /// <param name="write">Writes the whole of it.</param>
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
