using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MaestroDeploy.Profiles;

/// <summary>One axis of a tensor's shape: a fixed size, or a name for a size that each call chooses.</summary>
/// <remarks>In JSON a number or a string; in code either converts by itself: <c>Axis[] shape = ["N", 1, 28, 28]</c>.</remarks>
[JsonConverter(typeof(Converter))]
public sealed record Axis
{
    /// <param name="size">The fixed size, 0 or more.</param>
    /// <exception cref="ArgumentException"><paramref name="size"/> is negative.</exception>
    public Axis(int size) => Size = Check.AtLeast(0, size, nameof(size));

    /// <param name="name">The name of the size that a call chooses, such as <c>N</c>.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    public Axis(string name) => Name = Check.Text(name, nameof(name));

    /// <summary>The size; null when a call chooses it.</summary>
    public int? Size { get; }

    /// <summary>The name; null when the size is fixed.</summary>
    public string? Name { get; }

    /// <summary>A fixed axis.</summary>
    public static implicit operator Axis(int size) => new(size);

    /// <summary>A named axis.</summary>
    public static implicit operator Axis(string name) => new(name);

    /// <summary>The size or the name.</summary>
    public override string ToString() => Name ?? Size!.Value.ToString(CultureInfo.InvariantCulture);

    sealed class Converter : JsonConverter<Axis>
    {
        public override Axis Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var size) ? new Axis(size)
            : reader.TokenType == JsonTokenType.String ? new Axis(reader.GetString()!)
            : throw new JsonException("An axis is a whole number, or a name.");

        public override void Write(Utf8JsonWriter writer, Axis value, JsonSerializerOptions options)
        {
            if (value.Size is { } size)
            {
                writer.WriteNumberValue(size);
            }
            else
            {
                writer.WriteStringValue(value.Name);
            }
        }
    }
}
