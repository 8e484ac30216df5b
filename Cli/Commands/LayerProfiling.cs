using System.Globalization;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using Spectre.Console;

namespace MaestroDeploy.Cli.Commands;

/// <summary>Measures what a model's layers take on this device, and keeps the table beside the model.</summary>
static class LayerProfiling
{
    /// <summary>Where a model's tables are kept.</summary>
    public static string FolderOf(string source) => Path.ChangeExtension(source, ".layers");

    /// <summary>The table of this device: a kept one that holds, or a new one, which is kept.</summary>
    /// <param name="lod">The model.</param>
    /// <param name="source">Its file.</param>
    /// <param name="settings">How it is run.</param>
    /// <param name="options">At what batch.</param>
    /// <param name="anew">Whether a kept table is passed over.</param>
    /// <param name="terminal">Told how far it is.</param>
    /// <param name="cancellation">Stops it.</param>
    public static LayerLatencies Get(LodModel lod, string source, SessionSettings settings, MeasureOptions options, bool anew, Terminal terminal, CancellationToken cancellation)
    {
        var device = DeviceProbe.Read();
        var folder = FolderOf(source);
        var path = new ProfileStore(folder).PathFor(device, settings, options.Batch, options.OpenAxis);
        if (!anew && Kept(path, device, lod.Cost(), options) is { } holds)
        {
            return holds;
        }

        var table = new LayerLatencyMeter(lod, settings, options).Measure(Profiling.Progress(terminal), cancellation);
        var kept = Profiling.Kept(Save, terminal);
        terminal.Say(string.Create(CultureInfo.InvariantCulture,
            $"{kept}: {table.Layers.Count} layers on {device.Cpu}, {table.Measurement.Provider}, {settings.Threads} threads, batch {options.Batch}; "
            + $"{table.Checks.Count} other models foretold to {table.MedianError:0.0 %} of what they took (median)"));
        return table;

        string Save()
        {
            Directory.CreateDirectory(folder);
            ProfilesJson.Write(path, table);
            return path;
        }
    }

    /// <summary>Each layer's time dense and at its ranks.</summary>
    public static Table Describe(LayerLatencies table)
    {
        var shown = Tables.Columns("layer", "out", "in", "dense", "pairs at their ranks");
        foreach (var layer in table.Layers)
        {
            shown.AddRow(Markup.Escape(layer.Layer), $"{layer.Out}", $"{layer.In}", Units.Microseconds(layer.DenseUs),
                string.Join("  ", layer.Ranks.Zip(layer.PairUs, (rank, us) => $"{rank}: {us.ToString("0.#", CultureInfo.InvariantCulture)}")));
        }

        return shown;
    }

    static LayerLatencies? Kept(string path, DeviceFingerprint device, LodCost cost, MeasureOptions options)
    {
        try
        {
            return File.Exists(path) && ProfilesJson.Read<LayerLatencies>(path) is { } table && table.Device.DifferenceFrom(device) is null
                && table.Measurement.OpenAxis == options.OpenAxis && Fits(table, cost) ? table : null;
        }
        catch (ProfileFormatException)
        {
            return null;
        }
    }

    static bool Fits(LayerLatencies table, LodCost cost) => CandidateRanks.AreOf(table.Layers.Select(layer => (layer.Layer, layer.Ranks)), cost)
        && table.Layers.Zip(cost.Layers).All(pair => (pair.First.Out, pair.First.In) == (pair.Second.Pair.Out, pair.Second.Pair.In));
}
