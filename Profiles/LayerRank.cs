using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MaestroDeploy.Profiles;

/// <summary>What a plan gives one layer: a number of components, or its dense weight. The default value is dense.</summary>
/// <remarks>In JSON a number, or the string <c>"dense"</c>.</remarks>
[JsonConverter(typeof(Converter))]
public readonly record struct LayerRank
{
    /// <param name="components">Components to keep, 1 or more.</param>
    /// <exception cref="ArgumentException"><paramref name="components"/> is less than 1.</exception>
    public LayerRank(int components) => Components = Check.AtLeast(1, components, nameof(components));

    /// <summary>The layer's weight as it was, not factored.</summary>
    public static LayerRank Dense => default;

    /// <summary>Components kept, 1 or more; null when the layer is dense.</summary>
    public int? Components { get; }

    /// <summary>Whether the layer keeps its dense weight.</summary>
    public bool IsDense => Components is null;

    /// <summary>The number, or "dense".</summary>
    public override string ToString() => Components?.ToString(CultureInfo.InvariantCulture) ?? "dense";

    sealed class Converter : JsonConverter<LayerRank>
    {
        public override LayerRank Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var components) ? new LayerRank(components)
            : reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("dense") ? Dense
            : throw new JsonException("A rank is a whole number of 1 or more, or \"dense\".");

        public override void Write(Utf8JsonWriter writer, LayerRank value, JsonSerializerOptions options)
        {
            if (value.Components is { } components)
            {
                writer.WriteNumberValue(components);
            }
            else
            {
                writer.WriteStringValue("dense");
            }
        }
    }
}
