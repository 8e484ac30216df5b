using System.Globalization;
using MaestroDeploy.Profiles;
using Spectre.Console;

namespace MaestroDeploy.Cli.Output;

/// <summary>The tables that several verbs print.</summary>
static class Tables
{
    static readonly string[] DistanceColumns = ["output error", "PSNR"];

    /// <summary>A family, the dense graph first: cost, accuracy and, where measured, latency beside the dense graph's.</summary>
    public static Table Family(FamilyReport report)
    {
        var measured = report.Variants.Any(variant => variant.P50Us is not null);
        VariantReport[] all = [report.Dense, .. report.Variants];
        var byDistance = all.All(variant => variant.Accuracy is null) && all.Any(variant => variant.Distance is not null);
        var table = Columns("variant", ["MACs", "params", "bytes", .. byDistance ? DistanceColumns : ["accuracy"]]);
        foreach (var column in measured ? new[] { "p50", "p90", "speed-up", "load", "first run", "samples" } : [])
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        foreach (var variant in all)
        {
            List<string> cells = [variant.Id, Units.Count(variant.Macs), Units.Count(variant.Params), Units.Bytes(variant.Bytes)];
            cells.AddRange(byDistance ? [Units.Error(variant.Distance?.RelativeError), Decibels(variant.Distance)] : [Units.Share(variant.Accuracy)]);
            if (measured)
            {
                cells.AddRange([Units.Microseconds(variant.P50Us), Units.Microseconds(variant.P90Us), SpeedUp(report.Dense, variant),
                    Units.Microseconds(variant.LoadMs * 1000), Units.Microseconds(variant.FirstRunUs), $"{variant.Samples}"]);
            }

            table.AddRow([.. cells.Select(Markup.Escape)]);
        }

        return table;
    }

    /// <summary>A table whose first column is text and whose others are numbers.</summary>
    public static Table Columns(string first, params IEnumerable<string> others)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn(first);
        foreach (var column in others)
        {
            table.AddColumn(new TableColumn(Markup.Escape(column)).RightAligned());
        }

        return table;
    }

    static string Decibels(OutputDistance? distance) => distance?.PsnrDb is { } psnr ? psnr.ToString("0.0", CultureInfo.InvariantCulture) + " dB" : "–";

    static string SpeedUp(VariantReport dense, VariantReport variant) => dense.P50Us is { } before && variant.P50Us is { } now
        ? Units.Ratio(before / now)
        : "–";
}
