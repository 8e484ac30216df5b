namespace MaestroDeploy.Profiles;

/// <summary>Where a family came from, in enough detail to make it again.</summary>
public sealed record Provenance
{
    /// <summary>Name of the model file that was exported.</summary>
    public required string Source { get; init => field = Check.Text(value); }

    /// <summary>SHA-256 of that file.</summary>
    public required string SourceSha256 { get; init => field = Check.Sha256(value); }

    /// <summary>The built-in model's name, when it was one.</summary>
    public string? Model { get; init; }

    /// <summary>The data it was trained on.</summary>
    public string? Data { get; init; }

    /// <summary>How raw inputs are scaled before they go in, in plain words.</summary>
    public string? Scaling { get; init; }

    /// <summary>How it was trained or factored, in plain words.</summary>
    public string? Recipe { get; init; }

    /// <summary>Seed of every random choice.</summary>
    public int? Seed { get; init; }

    /// <summary>Passes over the training data.</summary>
    public int? Epochs { get; init => field = value is { } epochs ? Check.AtLeast(0, epochs) : null; }

    /// <summary>The program and version that wrote it: <c>maestro 0.1.0</c>.</summary>
    public required string CreatedBy { get; init => field = Check.Text(value); }

    /// <summary>When it was written, in UTC.</summary>
    public required DateTimeOffset CreatedUtc { get; init; }
}
