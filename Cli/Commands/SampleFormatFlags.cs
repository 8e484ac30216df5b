using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using MaestroDeploy.Data;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Cli.Commands;

/// <summary>The options that say how a model wants its samples that was trained elsewhere, on the command line or in a small file.</summary>
sealed class SampleFormatFlags
{
    const int Schema = 1;

    static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, // a misspelt member would leave the samples as they are
        AllowDuplicateProperties = false,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false), new ScaleConverter() },
    };

    readonly Option<SampleLayout?> _layout = new("--layout") { HelpName = "nchw|nhwc|flat", Description = "The order of an image's numbers: nchw (as sets hold them), nhwc, or flat to whatever shape the input has." };
    readonly Option<ChannelOrder?> _channels = new("--channels") { HelpName = "rgb|bgr", Description = "rgb (as sets hold them) or bgr." };
    readonly Option<double?> _scale = new("--scale") { Description = "What raw values are multiplied with: 1, 1/255; default: the set's own scaling.", CustomParser = SharedOptions.Parse<double?>(text => Scale(text)) };
    readonly Option<double[]?> _mean = new("--mean") { Description = "Subtracted after scaling: one number, or one a channel in the model's order.", CustomParser = SharedOptions.Parse<double[]?>(Numbers) };
    readonly Option<double[]?> _std = new("--std") { Description = "Divided by at last, as --mean.", CustomParser = SharedOptions.Parse<double[]?>(Numbers) };
    readonly Option<string?> _file = new Option<string?>("--format") { Description = "A JSON file of the same: layout, channels, scale, mean, std; options given beside it count." }.OfFiles();

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _layout, _channels, _scale, _mean, _std, _file })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The file of a format; null where none is named.</summary>
    public string? FileOf(ParseResult parsed) => parsed.GetValue(_file);

    /// <summary>What was named; nothing where nothing was.</summary>
    /// <exception cref="CommandException">The file is no such file.</exception>
    SampleFormat Read(ParseResult parsed)
    {
        var named = parsed.GetValue(_file) is { } path ? OfFile(path) : new SampleFormat();
        return new SampleFormat
        {
            Layout = parsed.GetValue(_layout) ?? named.Layout,
            Channels = parsed.GetValue(_channels) ?? named.Channels,
            Scale = parsed.GetValue(_scale) ?? named.Scale,
            Mean = parsed.GetValue(_mean) is { Length: > 0 } mean ? mean : named.Mean,
            Std = parsed.GetValue(_std) is { Length: > 0 } std ? std : named.Std,
        };
    }

    /// <summary>The data that --data names, fed as was named; null where it is not given.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="data">What --data names.</param>
    /// <param name="dataDir">The only folder to look in for a set that has a name; null looks in the usual ones.</param>
    /// <exception cref="UsageException">It names no data, or they cannot be fed so; or a format was named without it.</exception>
    /// <exception cref="CommandException">The format's file is no such file.</exception>
    public NamedData? Data(ParseResult parsed, string? data, string? dataDir)
    {
        var format = Read(parsed);
        return data is not null ? NamedData.Load(data, dataDir, format)
            : format.IsNone ? null
            : throw new UsageException("--layout, --channels, --scale, --mean, --std and --format say how the samples of --data are fed, and there is no --data.");
    }

    static SampleFormat OfFile(string path)
    {
        try
        {
            var file = JsonSerializer.Deserialize<FormatFile>(ProfilesJson.ReadBytes(path), Json) ?? throw new CommandException($"{path}: it holds null where a format was expected.");
            return file.SchemaVersion == Schema
                ? new SampleFormat { Layout = file.Layout, Channels = file.Channels, Scale = file.Scale, Mean = file.Mean, Std = file.Std }
                : throw new CommandException($"{path}: its schema_version is {file.SchemaVersion}, and this build reads {Schema}.");
        }
        catch (JsonException e)
        {
            throw new CommandException($"{path}: {e.Message} A format is such as {{\"schema_version\": 1, \"layout\": \"nhwc\", \"channels\": \"bgr\", \"scale\": \"1/255\", \"mean\": [0.5], \"std\": [0.25]}}.");
        }
    }

    /// <summary>A number, or one over another: 1/255.</summary>
    /// <exception cref="FormatException">It is neither, or not above 0.</exception>
    static double Scale(string text)
    {
        var parts = text.Split('/').Select(part => double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : double.NaN).ToArray();
        var scale = parts.Length == 1 ? parts[0] : parts.Length == 2 ? parts[0] / parts[1] : double.NaN;
        return scale > 0 && double.IsFinite(scale) ? scale : throw new FormatException($"A scale is a number above 0, or one over another, such as 1/255; found '{text}'.");
    }

    static double[] Numbers(string text) => [.. text.Split(',').Select(number => double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture))];

    sealed record FormatFile(int SchemaVersion = Schema, SampleLayout? Layout = null, ChannelOrder? Channels = null, double? Scale = null, double[]? Mean = null, double[]? Std = null);

    /// <summary>Numbers as they are, and also as a text: "1/255".</summary>
    sealed class ScaleConverter : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            try
            {
                return reader.TokenType == JsonTokenType.String ? Scale(reader.GetString()!) : reader.GetDouble();
            }
            catch (Exception e) when (e is FormatException or InvalidOperationException)
            {
                throw new JsonException(e.Message);
            }
        }

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options) => writer.WriteNumberValue(value);
    }
}
