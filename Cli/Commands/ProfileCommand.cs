using System.CommandLine;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary><c>maestro profile</c>: measures every variant on this device.</summary>
static class ProfileCommand
{
    public static Command Create(Terminal terminal)
    {
        var family = new Argument<string>("family") { Description = "A family's folder; or a model.lod.onnx, whose layers are then measured for 'export --by latency'." };
        var measure = new MeasureFlags(takesLong: true);
        var session = new SessionFlags();
        var output = new Option<string?>("--out") { Description = "A folder for the profile; default: <family>.profiles beside the family." };
        var command = new Command("profile", "Measure every variant on this device, and keep what was found for select and run.") { family, output };
        session.AddTo(command);
        measure.Options.ToList().ForEach(command.Options.Add);
        command.SetAction((parsed, cancellation) =>
        {
            var folder = parsed.GetValue(family)!;
            var settings = session.Settings(parsed, terminal);
            var options = measure.Read(parsed);
            if (File.Exists(folder))
            {
                OutputPaths.CheckFolder("profile", LayerProfiling.FolderOf(folder));
                if (options.Mode == MeasureMode.Full || parsed.GetValue(output) is not null)
                {
                    throw new UsageException("--full and --out are for a family; a model's layers are timed in one way, and the table is kept beside it.");
                }

                var table = LayerProfiling.Get(LodModel.Load(folder), folder, settings, options, anew: true, terminal, cancellation);
                terminal.Show(LayerProfiling.Describe(table));
                terminal.Answer(table);
                return Task.FromResult(0);
            }

            var opened = Family.Open(folder);
            var store = parsed.GetValue(output) is { } chosen ? new ProfileStore(chosen) : ProfileStore.Beside(opened);
            OutputPaths.CheckFolder(parsed.GetValue(output) is null ? "profile" : output.Name, store.Folder);
            var profile = Profiling.Measure(opened, settings, options, store, terminal, cancellation);
            var report = FamilyReport.Of(folder, opened.Manifest, profile);
            terminal.Show(Tables.Family(report));
            terminal.Answer(report);
            return Task.FromResult(0);
        });
        return command;
    }
}
