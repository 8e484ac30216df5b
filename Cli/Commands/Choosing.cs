using System.CommandLine;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary>The options and the steps that <c>select</c> and <c>run</c> share: open a family, find its profile, choose.</summary>
sealed class Choosing
{
    readonly Argument<string> _family = new("family") { Description = "A family's folder." };
    readonly Option<TimeSpan?> _maxLatency = SharedOptions.MaxLatency();
    readonly Option<int> _percentile = SharedOptions.Percentile();
    readonly Option<double?> _minAccuracy = SharedOptions.MinAccuracy();
    readonly Option<string?> _profile = new("--profile") { Description = "A latency profile, of this or another device; default: what 'profile' wrote for this one." };
    readonly Option<Device> _device = SharedOptions.OnDevice();
    readonly Option<int> _threads = SharedOptions.Threads();
    readonly Option<int> _batch = SharedOptions.Batch();

    public void AddTo(Command command)
    {
        command.Arguments.Add(_family);
        foreach (var option in new Option[] { _maxLatency, _percentile, _minAccuracy, _profile, _device, _threads, _batch })
        {
            command.Options.Add(option);
        }
    }

    public SessionSettings Settings(ParseResult parsed) => SharedOptions.Settings(parsed.GetValue(_device), parsed.GetValue(_threads));

    /// <exception cref="CommandException">There is no profile that holds for this device and use.</exception>
    public (Family Family, SelectionReport Selection) Choose(ParseResult parsed)
    {
        var family = Family.Open(parsed.GetValue(_family)!);
        var profile = parsed.GetValue(_profile) is { } file ? Given(family, file) : Found(family, parsed);
        return (family, Choose(family, profile, parsed.GetValue(_maxLatency), parsed.GetValue(_percentile), parsed.GetValue(_minAccuracy)));
    }

    public static SelectionReport Choose(Family family, LatencyProfile profile, TimeSpan? maxLatency, int percentile = 90, double? minAccuracy = null)
    {
        var chosen = VariantSelector.Select(family.Manifest, profile, maxLatency, percentile, minAccuracy);
        return new SelectionReport(VariantReport.Of(chosen.Variant, chosen.Latency), chosen.Fits, chosen.Reason, percentile,
            maxLatency?.TotalMicroseconds, minAccuracy);
    }

    LatencyProfile Found(Family family, ParseResult parsed)
    {
        var stored = ProfileStore.Beside(family).Find(family, DeviceProbe.Read(), Settings(parsed), parsed.GetValue(_batch));
        return stored.Profile ?? throw new CommandException($"{stored.Problem} Run 'maestro profile {parsed.GetValue(_family)}' with the same --device, --threads and --batch.");
    }

    static LatencyProfile Given(Family family, string file)
    {
        var profile = ProfilesJson.Read<LatencyProfile>(file);
        return profile.FamilySha256 == family.Sha256
            ? profile
            : throw new CommandException($"{file}: it was measured on another family, or on this one before it was exported again; run 'maestro profile' anew.");
    }
}
