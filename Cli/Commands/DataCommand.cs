using System.CommandLine;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Data;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Cli.Commands;

/// <summary><c>maestro data get</c>: fetches the public data sets and checks every byte.</summary>
static class DataCommand
{
    public static Command Create(Terminal terminal)
    {
        var sets = new Argument<string[]>("set") { Description = $"One or more of {string.Join(", ", DataDownload.Names)}.", Arity = ArgumentArity.OneOrMore };
        sets.AcceptOnlyFromAmong([.. DataDownload.Names]);
        var dir = new Option<string?>("--dir") { Description = $"The folder to put them in; default: {DataLocations.Default}, if no other place has them." };
        var get = new Command("get", "Fetch data sets over HTTPS, resuming what was begun; a set that is whole is left alone.") { sets, dir };
        get.SetAction(async (parsed, cancellation) =>
        {
            List<DataSetReport> reports = [];
            foreach (var set in parsed.GetValue(sets)!.Distinct())
            {
                reports.Add(await Get(set, parsed.GetValue(dir), terminal, cancellation));
            }

            terminal.Answer(new DataReport(reports));
        });
        return new Command("data", "The public data sets.") { get };
    }

    static async Task<DataSetReport> Get(string set, string? dir, Terminal terminal, CancellationToken cancellation)
    {
        var progress = new Reporter<DownloadProgress>(at => terminal.Progress(
            $"{set}: {at.File}", at.TotalBytes is { } total ? $"{Units.Bytes(at.ReceivedBytes)} of {Units.Bytes(total)}" : Units.Bytes(at.ReceivedBytes)));
        var got = await DataDownload.GetAsync(set, dir, progress, null, cancellation);
        terminal.Say($"{set}: {got.Folder}{(got.WasAlreadyThere ? ", already there and whole" : "")}");
        return new DataSetReport(set, got.Folder, got.WasAlreadyThere);
    }

    sealed record DataReport(IReadOnlyList<DataSetReport> Sets);

    sealed record DataSetReport(string Set, string Folder, bool WasAlreadyThere);
}
