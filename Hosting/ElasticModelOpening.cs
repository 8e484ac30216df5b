using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Elastic;
using Microsoft.Extensions.Logging;

namespace MaestroDeploy.Hosting;

/// <summary>Opens a session from options, and tells the log what it chose and what changes.</summary>
static partial class ElasticModelOpening
{
    /// <summary>Opens it; some seconds where the family must first be calibrated.</summary>
    public static ElasticSession Open(ElasticModelOptions options, ILogger logger)
    {
        var session = options.Profile is { } profile
            ? new ElasticSession(Family.Open(options.Folder), ProfilesJson.Read<LatencyProfile>(profile), options.Level(), options.Elastic())
            : ElasticSession.Open(options.Folder, options.Level(), options.Elastic());
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

    [LoggerMessage(2, LogLevel.Warning, "{Folder}: {Concern}")]
    static partial void Concern(ILogger logger, string folder, string concern);

    [LoggerMessage(3, LogLevel.Information, "{Folder}: from {From} to {To}, for {Because}.")]
    static partial void Switched(ILogger logger, string folder, string from, string to, string because);
}
