namespace MaestroDeploy.Data;

/// <summary>How far a download has come. Reported for every piece that arrives.</summary>
/// <param name="File">The file on its way.</param>
/// <param name="ReceivedBytes">What has arrived of it, an earlier attempt included.</param>
/// <param name="TotalBytes">What there is of it; null when the server does not say.</param>
public sealed record DownloadProgress(string File, long ReceivedBytes, long? TotalBytes);
