namespace MaestroDeploy.Data;

/// <summary>The lines of one split, <c>Source[i]</c> translated by <c>Target[i]</c>.</summary>
sealed record TextPairs(string Name, string[] Source, string[] Target);

/// <summary>A folder of text in two languages, a pair of files a split.</summary>
sealed record TextFolder(string Folder, string Source, string Target)
{
    /// <summary>The folder's own name and the languages.</summary>
    public string Name => $"{new DirectoryInfo(Folder).Name}/{Source}-{Target}";

    /// <summary>The first name, by its characters' codes, of a split that begins with <c>test</c>.</summary>
    /// <exception cref="DataFormatException">There is none.</exception>
    public string TestSplit()
    {
        var endings = new[] { $".{Source}", $".{Source}.gz" };
        return Directory.EnumerateFiles(Folder, "test*").Select(file => Path.GetFileName(file))
            .SelectMany(file => endings.Where(ending => file.EndsWith(ending, StringComparison.Ordinal)).Select(ending => file[..^ending.Length]))
            .Order(StringComparer.Ordinal)
            .FirstOrDefault() ?? throw new DataFormatException(Folder, $"has no test*.{Source} and no test*.{Source}.gz to test on.");
    }

    /// <exception cref="DataFormatException">A file is not there or is broken, or the two have different numbers of lines.</exception>
    public TextPairs Read(string split)
    {
        var (source, target) = (Find($"{split}.{Source}"), Find($"{split}.{Target}"));
        var pairs = new TextPairs($"{Name}/{split}", TextFile.ReadLines(source), TextFile.ReadLines(target));
        return pairs.Source.Length == pairs.Target.Length
            ? pairs
            : throw new DataFormatException(
                target, $"has {pairs.Target.Length} lines, and {source} has {pairs.Source.Length}; each line should translate the same line there.");
    }

    string Find(string file)
    {
        var plain = Path.Combine(Folder, file);
        return File.Exists(plain) ? plain
            : File.Exists($"{plain}.gz") ? $"{plain}.gz"
            : throw new DataFormatException(Folder, Directory.Exists(Folder) ? $"lacks {file} or {file}.gz." : "there is no such folder.");
    }
}
