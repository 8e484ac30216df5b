using System.Globalization;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary>Measures a family for every verb that does, and keeps what was measured where that can be.</summary>
static class Profiling
{
    public static LatencyProfile Measure(Family family, SessionSettings settings, MeasureOptions options, ProfileStore store, Terminal terminal,
        CancellationToken cancellation)
    {
        var profile = new LatencyMeter().Measure(family, settings, options, Progress(terminal), cancellation);
        var how = profile.Measurement;
        terminal.Say($"{Kept(() => store.Save(profile), terminal)}: {profile.Device.Cpu}, {how.Provider}, {how.Threads} threads, batch {how.Batch}; {how.Order}; "
            + $"a call that does nothing takes {Units.Microseconds(profile.CallOverheadUs)}");
        var unstable = profile.Variants.Where(variant => variant.Steady.Unstable).Select(variant => variant.Id).ToArray();
        if (unstable.Length > 0)
        {
            terminal.Say($"Unstable: {string.Join(", ", unstable)} vary by more than 10 %. Close other work, or measure with --full.");
        }

        return profile;
    }

    /// <summary>Keeps what was measured; where that cannot be, what was measured serves this once.</summary>
    /// <param name="save">Writes it, and gives the file.</param>
    /// <param name="terminal">Told why it cannot be.</param>
    /// <returns>The file; or that there is none.</returns>
    public static string Kept(Func<string> save, Terminal terminal)
    {
        try
        {
            return save();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            terminal.Error($"what was measured is not kept: {e.Message}");
            return "not kept";
        }
    }

    public static IProgress<MeasureProgress> Progress(Terminal terminal) => new Reporter<MeasureProgress>(
        at => terminal.Progress(at.Doing, string.Create(CultureInfo.InvariantCulture, $"{100 * at.Share:0} %")));
}
