namespace MaestroDeploy.Profiles;

/// <summary>What a machine is, as far as it decides how fast a graph runs there.</summary>
public sealed record DeviceFingerprint
{
    /// <summary>Short name for files: lower-case letters, digits and hyphens; see <see cref="Slug"/>.</summary>
    public required string Name { get; init => field = Check.Slug(value); }

    /// <summary>The processor's model name.</summary>
    public required string Cpu { get; init => field = Check.Text(value); }

    /// <summary>Cores usable now, after affinity and container limits.</summary>
    public required int Cores { get; init => field = Check.AtLeast(1, value); }

    /// <summary>Memory usable now, in bytes.</summary>
    public required long MemoryBytes { get; init => field = Check.AtLeast(0L, value); }

    /// <summary>The operating system and its version.</summary>
    public required string OperatingSystem { get; init => field = Check.Text(value); }

    /// <summary>The process's architecture: <c>x64</c>, <c>arm64</c>.</summary>
    public required string Architecture { get; init => field = Check.Text(value); }

    /// <summary>The graphics processor's name; null when none was found.</summary>
    public string? Gpu { get; init; }

    /// <summary>ONNX Runtime's version.</summary>
    public required string OnnxRuntime { get; init => field = Check.Text(value); }

    /// <summary>How the system chooses the clock rate (<c>performance</c>, <c>powersave</c>…); null when it does not say.</summary>
    public string? Governor { get; init; }

    /// <summary>The container's processor limit as the system writes it (<c>200000 100000</c>); null without one.</summary>
    public string? CgroupCpuLimit { get; init; }

    /// <summary>The first thing, in plain words, that makes <paramref name="other"/> another machine; null when it is the same.</summary>
    /// <remarks>Memory is left out: what is usable moves with every start, and moves no latency.</remarks>
    /// <param name="other">The machine to compare with.</param>
    public string? DifferenceFrom(DeviceFingerprint other)
    {
        (string What, object? Here, object? There)[] members =
        [
            ("processor", Cpu, other.Cpu),
            ("usable cores", Cores, other.Cores),
            ("operating system", OperatingSystem, other.OperatingSystem),
            ("architecture", Architecture, other.Architecture),
            ("graphics processor", Gpu, other.Gpu),
            ("ONNX Runtime", OnnxRuntime, other.OnnxRuntime),
            ("clock governor", Governor, other.Governor),
            ("processor limit", CgroupCpuLimit, other.CgroupCpuLimit),
        ];
        return members.Where(member => !Equals(member.Here, member.There))
            .Select(member => $"{member.What} '{member.Here ?? "none"}', not '{member.There ?? "none"}'")
            .FirstOrDefault();
    }

    /// <summary>Any text as a name for files: what is not a letter or digit becomes one hyphen. 48 characters at most.</summary>
    /// <param name="text">Such as <c>Intel(R) Core(TM) i7-1185G7 @ 3.00GHz</c>.</param>
    /// <returns>Such as <c>intel-r-core-tm-i7-1185g7-3-00ghz</c>; <c>unknown</c> when nothing is left.</returns>
    public static string Slug(string text)
    {
        var words = new string([.. text.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : ' ')])
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var slug = string.Join('-', words);
        return slug.Length == 0 ? "unknown" : slug[..Math.Min(slug.Length, 48)].TrimEnd('-');
    }
}
