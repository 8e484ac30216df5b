using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Elastic;
using Microsoft.Extensions.Logging;

namespace MaestroDeploy.Hosting;

/// <summary>Opens a session from options, and tells the log what it chose and what changes.</summary>
static partial class ElasticModelOpening
{
    /// <summary>Opens it; where the family must first be calibrated it says so, and takes some seconds or, of slow graphs, half a minute and more.</summary>
    /// <param name="options">Which family, and for what.</param>
    /// <param name="key">Its name in the host.</param>
    /// <param name="logger">Told what was chosen.</param>
    /// <param name="stopping">Stops a calibration.</param>
    public static ElasticSession Open(ElasticModelOptions options, string key, ILogger logger, CancellationToken stopping)
    {
        var session = options.Profile is { } profile
            ? new ElasticSession(Family.Open(options.Folder), ProfilesJson.Read<LatencyProfile>(profile), options.Level(), options.Elastic(key))
            : ElasticSession.Open(options.Folder, options.Level(), options.Elastic(key), why => Calibrating(logger, options.Folder, why), stopping);
        Opened(logger, options.Folder, session.Selection.Reason);
        foreach (var concern in ElasticHealthCheck.Concerns(session))
        {
            Concern(logger, options.Folder, concern);
        }

        session.Switched += change => Switched(logger, options.Folder, change.From.Id, change.To.Id, change.Because);
        return session;
    }

    [LoggerMessage(1, LogLevel.Information, "{Folder}: {Reason}")]
    static partial void Opened(ILogger logger, string folder, string reason);

    [LoggerMessage(4, LogLevel.Warning, "{Folder}: {Why} Calibrating, which each start without a profile does again; 'maestro profile' keeps one.")]
    static partial void Calibrating(ILogger logger, string folder, string why);

    [LoggerMessage(2, LogLevel.Warning, "{Folder}: {Concern}")]
    static partial void Concern(ILogger logger, string folder, string concern);

    [LoggerMessage(3, LogLevel.Information, "{Folder}: from {From} to {To}, for {Because}.")]
    static partial void Switched(ILogger logger, string folder, string from, string to, string because);
}
