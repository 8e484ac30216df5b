using System.CommandLine;
using System.Text;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Exporter.Report;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary><c>maestro sweep</c>: latency and accuracy of whole families, as a page, a picture, a table and JSON.</summary>
sealed class SweepCommand
{
    readonly Argument<string[]> _families = new("family") { Description = "One or more families' folders.", Arity = ArgumentArity.OneOrMore };
    readonly Option<string?> _data = new("--data") { Description = $"Measures the accuracies that a family was exported without: {string.Join(", ", NamedData.Forms)}." };
    readonly Option<string?> _dataDir = SharedOptions.DataDir();
    readonly SampleFormatFlags _format = new();
    readonly Option<string[]> _profiles = new Option<string[]>("--profile")
    {
        Description = "Latency profiles, of this or other devices; families that they are of are not measured here, unless --measure is given.",
        AllowMultipleArgumentsPerToken = true,
    }.OfFiles();

    readonly Option<bool> _measure = new("--measure") { Description = "Measure here and now, even where there is a profile that holds." };
    readonly SessionFlags _session = new();
    readonly MeasureFlags _times = new(takesLong: true);
    readonly Option<string> _output = new("--out") { Description = "The page, report.html; report.png, report.csv and report.json are written beside it.", Required = true };

    public static Command Create(Terminal terminal)
    {
        var sweep = new SweepCommand();
        var command = new Command("sweep", "Latency and accuracy of every variant, on one picture: measures what has not been measured here, and writes a page that explains itself.");
        command.Arguments.Add(sweep._families);
        foreach (var option in (Option[])[sweep._data, sweep._dataDir, sweep._profiles, sweep._measure, .. sweep._times.Options, sweep._output])
        {
            command.Options.Add(option);
        }

        sweep._session.AddTo(command);
        sweep._format.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            sweep.Go(parsed, terminal, cancellation);
            return Task.FromResult(0);
        });
        return command;
    }

    void Go(ParseResult parsed, Terminal terminal, CancellationToken cancellation)
    {
        var page = PagePath(parsed.GetValue(_output)!);
        foreach (var file in FilesOf(page))
        {
            OutputPaths.CheckNotRead(_output.Name, file, [_format.FileOf(parsed), .. parsed.GetValue(_profiles) ?? []]);
        }

        var settings = _session.Settings(parsed, terminal);
        var options = _times.Read(parsed);
        var data = _format.Data(parsed, parsed.GetValue(_data), parsed.GetValue(_dataDir))?.Evaluation;
        var anew = parsed.GetValue(_measure);
        var folders = parsed.GetValue(_families)!.DistinctBy(Path.GetFullPath).ToArray();
        var families = folders.Select(folder => Family.Open(folder)).ToArray();
        var given = Given(parsed.GetValue(_profiles) ?? [], families);
        Write(new SweepReport([.. folders.Zip(families, Series).SelectMany(series => series)]), page, terminal);

        IEnumerable<SweepSeries> Series(string folder, Family family)
        {
            var manifest = data is null ? family.Manifest : FamilyAccuracy.Complete(family, data, settings, Progress(terminal), cancellation);
            var others = Array.FindAll(given, profile => profile.FamilySha256 == family.Sha256);
            LatencyProfile[] here = others.Length == 0 || anew ? [Here(family, settings, options, anew, terminal, cancellation)] : [];
            return here.Concat(others).Select(profile => new SweepSeries(folder, manifest, profile));
        }
    }

    /// <summary>The profiles that the command line names.</summary>
    /// <exception cref="CommandException">One is of none of the families.</exception>
    static LatencyProfile[] Given(string[] files, Family[] families) => [.. files.DistinctBy(Path.GetFullPath).Select(file =>
    {
        var profile = ProfilesJson.Read<LatencyProfile>(file);
        return families.Any(family => family.Sha256 == profile.FamilySha256)
            ? profile
            : throw new CommandException($"{file}: it was measured on '{profile.Family}' as none of these families is now; name that family, or run 'maestro profile' anew.");
    })];

    /// <summary>What this device measured: the profile that is kept, where it holds and a new one is not asked for.</summary>
    static LatencyProfile Here(Family family, SessionSettings settings, MeasureOptions options, bool anew, Terminal terminal, CancellationToken cancellation)
    {
        var store = ProfileStore.Beside(family);
        var kept = store.Find(family, DeviceProbe.Read(), settings, options.Batch, options.OpenAxis);
        if (anew || kept.Profile is null || (options.Mode == MeasureMode.Full && kept.Profile.Measurement.Mode != Measurement.Full))
        {
            return Profiling.Measure(family, settings, options, store, terminal, cancellation);
        }

        terminal.Say($"{kept.Path}: measured {kept.Profile.Measurement.MeasuredUtc:yyyy-MM-dd HH:mm} UTC, and it holds; --measure makes a new one.");
        return kept.Profile;
    }

    static void Write(SweepReport report, string page, Terminal terminal)
    {
        var names = FilesOf(page);
        var files = new Dictionary<string, byte[]>
        {
            [names[0]] = Encoding.UTF8.GetBytes(report.ToHtml()),
            [names[1]] = Encoding.UTF8.GetBytes(report.ToCsv()),
            [names[2]] = Encoding.UTF8.GetBytes(ProfilesJson.ToText(report.ToRecord())),
        };
        if (report.ToSvg() is { } svg)
        {
            files[names[3]] = Picture.Png(svg);
        }

        Directory.CreateDirectory(Path.GetDirectoryName(page)!);
        ReportFiles.Write(files);
        foreach (var (series, label) in report.Series.Zip(report.Labels))
        {
            var family = FamilyReport.Of(series.Path, series.Manifest, series.Profile);
            terminal.Say($"{label}: {family.BeforeAndAfter()}");
            terminal.Show(Tables.Family(family));
        }

        terminal.Say(string.Join('\n', files.Keys));
        terminal.Answer(report.ToRecord());
    }

    /// <summary>The files of a report: the page, the table, the JSON and the picture.</summary>
    static string[] FilesOf(string page) => [page, Path.ChangeExtension(page, ".csv"), Path.ChangeExtension(page, ".json"), Path.ChangeExtension(page, ".png")];

    /// <summary>Where the page goes, as a full path.</summary>
    /// <exception cref="UsageException">It is no page, or lies in a family.</exception>
    static string PagePath(string output)
    {
        var page = Path.GetFullPath(output);
        if (Path.GetExtension(page) is not (".html" or ".htm"))
        {
            throw new UsageException($"--out: name a page, such as report.html; found '{output}'.");
        }

        OutputPaths.CheckFolder("--out", Path.GetDirectoryName(page)!);
        return page;
    }

    static Reporter<string> Progress(Terminal terminal) => new(id => terminal.Progress("measure accuracy", id));
}
