using System.Collections.ObjectModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MaestroDeploy.Profiles;

/// <summary>What a budget came to: a rank, or dense, for each factorable layer.</summary>
/// <remarks>
/// Layers keep the order they were given in, but two plans are equal when they give the same layers the same ranks.
/// In JSON an object, <c>{"fc1": 16, "fc2": "dense"}</c>.
/// </remarks>
[JsonConverter(typeof(Converter))]
public sealed class RankPlan : IEquatable<RankPlan>
{
    /// <param name="layers">Layer names, each once, with their ranks.</param>
    /// <exception cref="ArgumentException">A name is empty or comes twice.</exception>
    public RankPlan(IEnumerable<KeyValuePair<string, LayerRank>> layers)
    {
        var ordered = new OrderedDictionary<string, LayerRank>(StringComparer.Ordinal);
        foreach (var (layer, rank) in layers)
        {
            if (!ordered.TryAdd(Check.Text(layer, "A layer's name"), rank))
            {
                throw new ArgumentException($"The plan names layer '{layer}' twice.", nameof(layers));
            }
        }

        Layers = new ReadOnlyDictionary<string, LayerRank>(ordered);
    }

    /// <summary>Layer name to rank, in the order given.</summary>
    public IReadOnlyDictionary<string, LayerRank> Layers { get; }

    /// <summary>The rank of one layer.</summary>
    /// <param name="layer">The layer's name.</param>
    /// <exception cref="KeyNotFoundException">The plan does not name the layer.</exception>
    public LayerRank this[string layer] =>
        Layers.TryGetValue(layer, out var rank) ? rank : throw new KeyNotFoundException($"The plan has no layer '{layer}'.");

    /// <summary>Whether both give the same layers the same ranks, in whatever order.</summary>
    public bool Equals(RankPlan? other) =>
        other is not null && Layers.Count == other.Layers.Count
        && Layers.All(layer => other.Layers.TryGetValue(layer.Key, out var rank) && rank == layer.Value);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as RankPlan);

    /// <inheritdoc/>
    public override int GetHashCode() => Layers.Aggregate(0, (hash, layer) => hash ^ HashCode.Combine(layer.Key, layer.Value));

    /// <summary>The layers and ranks on one line: <c>fc1=16 fc2=dense</c>.</summary>
    public override string ToString() => string.Join(' ', Layers.Select(layer => $"{layer.Key}={layer.Value}"));

    // Member by member, so that it also works where trimming has removed what reflection would need.
    sealed class Converter : JsonConverter<RankPlan>
    {
        public override RankPlan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw new JsonException("A plan is an object of layer names and ranks.");
            }

            var layers = new List<KeyValuePair<string, LayerRank>>();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var layer = reader.GetString()!;
                reader.Read();
                layers.Add(KeyValuePair.Create(layer, JsonSerializer.Deserialize<LayerRank>(ref reader, options)));
            }

            return new RankPlan(layers);
        }

        public override void Write(Utf8JsonWriter writer, RankPlan value, JsonSerializerOptions options)
        {
            writer.WriteStartObject();
            foreach (var (layer, rank) in value.Layers)
            {
                writer.WritePropertyName(layer);
                JsonSerializer.Serialize(writer, rank, options);
            }

            writer.WriteEndObject();
        }
    }
}
