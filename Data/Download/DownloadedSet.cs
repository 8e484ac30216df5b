namespace MaestroDeploy.Data;

/// <summary>A set that is now whole on this machine.</summary>
/// <param name="Folder">The folder that holds its files.</param>
/// <param name="WasAlreadyThere">Whether every file was there and checked out, so that nothing was fetched.</param>
public sealed record DownloadedSet(string Folder, bool WasAlreadyThere);
