namespace MaestroDeploy.Exporter.Report;

/// <summary>Files that are put in place together: all are written beside their places before the first is renamed.</summary>
public static class ReportFiles
{
    /// <summary>Writes files, in place of older ones.</summary>
    /// <param name="files">Paths and what they are to hold; their folders must exist.</param>
    /// <exception cref="IOException">One cannot be written; none is then renamed.</exception>
    public static void Write(IReadOnlyDictionary<string, byte[]> files)
    {
        var suffix = Path.GetRandomFileName();
        try
        {
            foreach (var (path, content) in files)
            {
                File.WriteAllBytes($"{path}.{suffix}", content);
            }

            foreach (var path in files.Keys)
            {
                File.Move($"{path}.{suffix}", path, overwrite: true);
            }
        }
        finally
        {
            foreach (var path in files.Keys)
            {
                File.Delete($"{path}.{suffix}"); // gone already, unless something above failed
            }
        }
    }
}
