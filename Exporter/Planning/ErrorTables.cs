using MaestroDeploy.Exporter.Evaluation;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter.Planning;

/// <summary>Keeps a model's probed errors beside its file, so that planning again asks for no probing.</summary>
/// <param name="source">The model's file.</param>
/// <param name="cost">What it costs, hence its layers and how many samples are probed.</param>
/// <param name="data">What errors are measured on.</param>
sealed class ErrorTables(string source, LodCost cost, EvaluationData data)
{
    readonly string _path = Path.ChangeExtension(source, ".errors.json");

    /// <summary>The hash of the model's file.</summary>
    public string SourceSha256 { get; } = FileHash.Sha256Of(source);

    /// <summary>The kept table where it holds for this model and these samples; else a new one, which is kept.</summary>
    /// <param name="inputsSha256">The hash of the samples as they are fed.</param>
    /// <param name="measure">Makes a new table.</param>
    public ErrorTable Get(string inputsSha256, Func<ErrorTable> measure)
    {
        if (Kept(inputsSha256) is { } kept)
        {
            return kept;
        }

        var table = measure();
        try
        {
            ProfilesJson.Write(_path, table);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A model in a folder that cannot be written is probed anew each time.
        }

        return table;
    }

    ErrorTable? Kept(string inputsSha256)
    {
        try
        {
            return File.Exists(_path) && ProfilesJson.Read<ErrorTable>(_path) is { } table && Holds(table) && table.DataSha256 == inputsSha256 ? table : null;
        }
        catch (Exception e) when (e is ProfileFormatException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // A kept table may hold fewer samples than asked for, where the set has fewer; its data's name says which set.
    bool Holds(ErrorTable table) => table.SourceSha256 == SourceSha256 && table.Data == data.Name && table.Measure == ErrorProbe.MeasureOf(data)
        && CandidateRanks.AreOf(table.Layers.Select(layer => (layer.Layer, layer.Ranks)), cost);
}
