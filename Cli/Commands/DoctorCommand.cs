using System.CommandLine;
using System.Runtime.InteropServices;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Data;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Doctor;
using Spectre.Console;

namespace MaestroDeploy.Cli.Commands;

/// <summary><c>maestro doctor</c>: what this machine has, what it lacks, and what to do about it.</summary>
static class DoctorCommand
{
    sealed record DoctorReport(DeviceFingerprint Device, IReadOnlyList<Finding> Findings);

    public static Command Create(Terminal terminal)
    {
        var dataDir = SharedOptions.DataDir();
        var command = new Command("doctor", "Tell what this machine has and lacks.") { dataDir };
        command.SetAction((parsed, _) =>
        {
            var device = DeviceProbe.Read();
            Finding[] findings =
            [
                new("device", $"{device.Cpu}, {device.Cores} usable cores, {Units.Bytes(device.MemoryBytes)} of memory, {device.OperatingSystem}"),
                .. RuntimeChecks.All(), Torch(), .. DataSets.Names.Select(name => Data(name, parsed.GetValue(dataDir))),
            ];
            Show(findings, terminal);
            terminal.Answer(new DoctorReport(device, findings));
            return Task.FromResult(0);
        });
        return command;
    }

    static void Show(Finding[] findings, Terminal terminal)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumns("", "found", "lacking");
        foreach (var finding in findings)
        {
            table.AddRow(Markup.Escape(finding.What), Markup.Escape(finding.Found), Markup.Escape(finding.Lacking ?? ""));
        }

        terminal.Show(table);
    }

    static Finding Torch()
    {
        try
        {
            using var two = TorchSharp.torch.ones(2).sum();
            return new Finding("Torch", $"libtorch {TorchSharp.torch.__version__}, {TorchSharp.torch.get_num_threads()} threads{(TorchSharp.torch.cuda.is_available() ? ", CUDA" : "")}");
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or NotSupportedException or ExternalException)
        {
            return new Finding("Torch", "does not load; training, factoring and inspect need it", e.GetBaseException().Message.Split('\n')[0]);
        }
    }

    static Finding Data(string name, string? dataDir)
    {
        try
        {
            var set = DataSets.Load(name, dataDir);
            return new Finding($"data: {name}", $"{set.Train.Count:N0} training and {set.Test.Count:N0} test samples");
        }
        catch (DataFormatException e)
        {
            return new Finding($"data: {name}", "not usable", e.Message);
        }
    }
}
