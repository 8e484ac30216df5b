using System.Globalization;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter.Report;

/// <summary>A report as a table for programs.</summary>
static class CsvReport
{
    static readonly string[] Columns =
    [
        "series", "family", "device", "gpu", "provider", "threads", "batch", "id", "budget", "params", "macs", "bytes", "accuracy", "perplexity", "accuracy_data",
        "accuracy_samples", "output_error", "output_error_inputs", "p50_us", "p50_upper_us", "p90_us", "p90_upper_us", "p95_us", "p95_upper_us", "samples", "unstable", "speed_up", "load_ms",
        "first_run_us", "private_bytes",
    ];

    public static string Render(SweepReport report)
    {
        var rows = report.Series.Zip(report.Labels).SelectMany(series => series.First.All.Select(variant => Row(series.Second, series.First, variant)));
        return string.Concat(rows.Prepend(Columns).Select(row => string.Join(',', row.Select(Cell)) + "\r\n"));
    }

    static object?[] Row(string label, SweepSeries series, Variant variant)
    {
        var (device, how) = (series.Profile?.Device, series.Profile?.Measurement);
        var latency = series.Profile?.Find(variant.Id);
        var steady = latency?.Steady;
        return
        [
            label, series.Path, device?.Cpu, device?.Gpu, how?.Provider, how?.Threads, how?.Batch, variant.Id, variant.Budget, variant.Params, variant.Macs, variant.Bytes,
            variant.Accuracy, variant.Perplexity, variant.AccuracyData, variant.AccuracySamples, variant.Distance?.RelativeError, variant.Distance?.Inputs, steady?.P50Us, steady?.P50UpperUs, steady?.P90Us,
            steady?.P90UpperUs, steady?.P95Us, steady?.P95UpperUs, steady?.Samples, steady?.Unstable, VariantTable.SpeedUp(series, latency), latency?.LoadMs,
            latency?.FirstRunUs, latency?.PrivateBytes,
        ];
    }

    static string Cell(object? value)
    {
        var text = value is bool flag ? (flag ? "true" : "false") : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        if (value is string && text.Length > 0 && text[0] is '=' or '+' or '-' or '@' or '\t' or '\r')
        {
            text = "'" + text; // a spreadsheet would run it as a formula, and names come from files
        }

        return text.AsSpan().IndexOfAny(",\"\r\n") >= 0 ? $"\"{text.Replace("\"", "\"\"")}\"" : text;
    }
}
