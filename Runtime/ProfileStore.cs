using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime;

/// <summary>What a store has for one use of a family.</summary>
/// <param name="Path">Where the profile of that use is kept.</param>
/// <param name="Profile">The profile, when there is one that holds; null otherwise.</param>
/// <param name="Problem">Why there is none, as a sentence; null when there is one.</param>
public sealed record StoredProfile(string Path, LatencyProfile? Profile, string? Problem);

/// <summary>Where latency profiles are kept: one file for each device, provider, thread count, batch, size of open axes, and setting that is not the default.</summary>
/// <param name="folder">The folder; made when the first profile is saved.</param>
public sealed class ProfileStore(string folder)
{
    /// <summary>The folder.</summary>
    public string Folder { get; } = folder;

    /// <summary>The store beside a family, <c>FAMILY.profiles</c>: a family's own folder is never changed.</summary>
    /// <param name="family">The family.</param>
    public static ProfileStore Beside(Family family) => new(family.Folder + ".profiles");

    /// <summary>Where a profile is kept: <c>some-cpu-cuda-0-t4-b1.json</c>; <c>-o128</c> behind where open axes have another size than the default, <c>-sleeping</c> or <c>-mapped</c> before the end where threads do not spin or weights are not prepacked.</summary>
    /// <param name="device">The machine.</param>
    /// <param name="settings">How graphs are run there.</param>
    /// <param name="batch">Samples in one run.</param>
    /// <param name="openAxis">The size of every other axis that the graphs leave open; null where they leave none.</param>
    public string PathFor(DeviceFingerprint device, SessionSettings settings, int batch, int? openAxis = null) =>
        PathFor(device.Name, settings.Device.ToString(), settings.Threads, batch, openAxis, settings.Spinning, settings.Prepack);

    /// <summary>Keeps a profile, in place of an older one of the same use.</summary>
    /// <param name="profile">What was measured.</param>
    /// <returns>The file it was written to.</returns>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public string Save(LatencyProfile profile)
    {
        var how = profile.Measurement;
        var path = PathFor(profile.Device.Name, how.Provider, how.Threads, how.Batch, how.OpenAxis, how.Spinning ?? true, how.Prepacked ?? true);
        if (how.Mode == Measurement.Calibrated)
        {
            path = Path.ChangeExtension(path, ".calibrated.json"); // it answers one question, so it must not stand in for a whole profile
        }

        Directory.CreateDirectory(Folder);
        ProfilesJson.Write(path, profile);
        return path;
    }

    /// <summary>Looks for a profile that says something about a use of a family.</summary>
    /// <param name="family">The family.</param>
    /// <param name="device">The machine.</param>
    /// <param name="settings">How graphs are run there.</param>
    /// <param name="batch">Samples in one run.</param>
    /// <param name="openAxis">The size of every other axis that the graphs leave open; null for the default of <see cref="MeasureOptions"/>.</param>
    public StoredProfile Find(Family family, DeviceFingerprint device, SessionSettings settings, int batch, int? openAxis = null)
    {
        var path = PathFor(device, settings, batch, family.Manifest.LeavesAxesOpen ? openAxis : null);
        if (!File.Exists(path))
        {
            return new StoredProfile(path, null, "This family has not been measured here in that way.");
        }

        try
        {
            var profile = ProfilesJson.Read<LatencyProfile>(path);
            var stale = profile.StaleBecause(family, device, settings, batch, openAxis ?? new MeasureOptions().OpenAxis);
            return new StoredProfile(path, stale is null ? profile : null, stale);
        }
        catch (Exception e) when (e is ProfileFormatException or IOException or UnauthorizedAccessException)
        {
            return new StoredProfile(path, null, e.Message);
        }
    }

    string PathFor(string device, string provider, int threads, int batch, int? openAxis, bool spinning, bool prepacked) =>
        Path.Combine(Folder, $"{device}-{provider.Replace(':', '-')}-t{threads}-b{batch}{(openAxis is { } size && size != new MeasureOptions().OpenAxis ? $"-o{size}" : "")}{(spinning ? "" : "-sleeping")}{(prepacked ? "" : "-mapped")}.json");
}

/// <summary>What a profile says about a use of a family.</summary>
static class ProfileUse
{
    /// <summary>Why it says nothing, as a sentence; null when it holds.</summary>
    public static string? StaleBecause(this LatencyProfile profile, Family family, DeviceFingerprint device, SessionSettings settings, int batch, int openAxis) =>
        profile.StaleBecause(family.Sha256, device, settings.Use(batch, family.Manifest.LeavesAxesOpen ? openAxis : null));
}
