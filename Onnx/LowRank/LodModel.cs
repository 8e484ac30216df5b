using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Google.Protobuf;

namespace MaestroDeploy.Onnx.LowRank;

/// <summary>How a model came to be, as its file tells; what is not known is null.</summary>
/// <param name="Model">A built-in model's name, or the file that was compressed.</param>
/// <param name="Data">The data set trained on.</param>
/// <param name="Scaling">How inputs were scaled, in plain words.</param>
/// <param name="Recipe">The training recipe; <see cref="Svd"/> or <see cref="DataAwareSvd"/> where it was not trained.</param>
/// <param name="Seed">The seed that reproduces the run.</param>
/// <param name="Epochs">Epochs trained.</param>
public sealed record LodProvenance(string? Model = null, string? Data = null, string? Scaling = null, string? Recipe = null, int? Seed = null, int? Epochs = null)
{
    /// <summary>The recipe of a model that was decomposed by its weights alone.</summary>
    public const string Svd = "svd";

    /// <summary>The recipe of a model that was decomposed by how its layers answer.</summary>
    public const string DataAwareSvd = "data-aware svd";

    /// <summary>Whether it was decomposed and not trained since.</summary>
    [JsonIgnore]
    public bool IsDecomposed => Recipe is Svd or DataAwareSvd;
}

/// <summary>A <c>model.lod.onnx</c>: a standard ONNX model in which some layers are pairs of ordered factors.</summary>
/// <remarks>
/// The arithmetic is all in the graph, which runs as it is in any ONNX Runtime. <c>metadata_props</c> under <c>maestro.</c> only
/// label it: <c>maestro.schema</c>, <c>maestro.factors</c>, <c>maestro.provenance</c>, and <c>maestro.digest</c>, the SHA-256 of all but itself.
/// </remarks>
public sealed class LodModel
{
    /// <summary>Metadata of a model of language: its vocabulary, one word a line.</summary>
    public const string VocabularyKey = "maestro.vocabulary";

    const string SchemaKey = "maestro.schema", FactorsKey = "maestro.factors", ProvenanceKey = "maestro.provenance", DigestKey = "maestro.digest";
    const int Schema = 1;

    static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter<LayerKind>(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <param name="model">A model whose graph holds the pairs.</param>
    /// <param name="pairs">Its factored layers, in the order of its nodes.</param>
    /// <param name="provenance">How it came to be.</param>
    /// <exception cref="OnnxFormatException">A pair's factors are not in the graph, or not of the shapes that it states.</exception>
    public LodModel(OnnxModel model, IReadOnlyList<FactorPair> pairs, LodProvenance provenance)
    {
        Model = model;
        Pairs = pairs;
        Provenance = provenance;
        if (!model.Inputs.Any())
        {
            throw new OnnxFormatException(model.Name, "it takes no input");
        }

        if (pairs.SelectMany(pair => new[] { pair.U, pair.V }).Concat(pairs.Select(pair => $"layer {pair.Layer}")).GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new OnnxFormatException(model.Name, $"its metadata names '{twice.Key}' twice");
        }

        foreach (var pair in pairs)
        {
            CheckShapes(model, pair);
            PairRewrite.Uses(model, pair);
        }
    }

    /// <summary>The graph and its tensors.</summary>
    public OnnxModel Model { get; }

    /// <summary>The factored layers, in the order of the graph's nodes.</summary>
    public IReadOnlyList<FactorPair> Pairs { get; }

    /// <summary>How the model came to be.</summary>
    public LodProvenance Provenance { get; }

    /// <summary>Whether a model carries the labels of a <c>model.lod.onnx</c>.</summary>
    public static bool IsLod(OnnxModel model) => model.Metadata(SchemaKey) is not null;

    /// <summary>Reads a file written by <see cref="Save"/>.</summary>
    /// <exception cref="OnnxFormatException">Not such a file, of a newer schema, damaged, or changed since it was written.</exception>
    public static LodModel Load(string path) => Of(OnnxModel.Load(path));

    /// <summary>Reads the labels of a loaded model.</summary>
    /// <exception cref="OnnxFormatException">As <see cref="Load"/>.</exception>
    public static LodModel Of(OnnxModel model)
    {
        if (!int.TryParse(model.Metadata(SchemaKey), out var schema))
        {
            throw new OnnxFormatException(model.Name, "not a model.lod.onnx: it has no maestro.schema; make one with 'maestro train'");
        }

        if (schema != Schema)
        {
            throw new OnnxFormatException(model.Name, $"its schema is {schema}, and this program reads {Schema}; use the maestro that wrote it");
        }

        if (model.Metadata(DigestKey) != Digest(model))
        {
            throw new OnnxFormatException(model.Name,
                "it does not match the digest that it was written with: the file is damaged, or another tool changed it; make it again");
        }

        model.InlineData();
        var pairs = Label<FactorPair[]>(model, FactorsKey);
        return new LodModel(model, pairs, Label<LodProvenance>(model, ProvenanceKey));
    }

    /// <summary>Labels the model and writes it, whole or not at all.</summary>
    public void Save(string path)
    {
        Model.SetMetadata(SchemaKey, $"{Schema}");
        Model.SetMetadata(FactorsKey, JsonSerializer.Serialize(Pairs, Json));
        Model.SetMetadata(ProvenanceKey, JsonSerializer.Serialize(Provenance, Json));
        Model.SetMetadata(DigestKey, Digest(Model));
        Model.Save(path);
    }

    /// <summary>A plain ONNX model without the labels, its graph shared with no one: the start of a variant.</summary>
    public OnnxModel CloneUnlabelled()
    {
        var clone = Model.Clone();
        foreach (var key in new[] { SchemaKey, FactorsKey, ProvenanceKey, DigestKey })
        {
            clone.RemoveMetadata(key);
        }

        return clone;
    }

    /// <summary>What each plan costs, without building it.</summary>
    /// <param name="openAxis">What an axis that the file leaves open counts as; null for the rule of <see cref="Cost.Shapes"/>.</param>
    public LodCost Cost(int? openAxis = null) => LodCost.Of(this, openAxis);

    static T Label<T>(OnnxModel model, string key)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(model.Metadata(key) ?? "null", Json)
                ?? throw new OnnxFormatException(model.Name, $"its metadata lacks {key}");
        }
        catch (JsonException e)
        {
            throw new OnnxFormatException(model.Name, $"its metadata {key} is not what maestro writes: {e.Message}", e);
        }
    }

    static string Digest(OnnxModel model)
    {
        using var sha = SHA256.Create();
        var undigested = model.Clone();
        undigested.RemoveMetadata(DigestKey);
        using (var hashing = new CryptoStream(Stream.Null, sha, CryptoStreamMode.Write))
        {
            undigested.Proto.WriteTo(hashing);
        }

        return Convert.ToHexStringLower(sha.Hash!);
    }

    static void CheckShapes(OnnxModel model, FactorPair pair)
    {
        var (u, v) = (FactorPair.Factor(model, pair.U).Dims, FactorPair.Factor(model, pair.V).Dims);
        var fits = v.Count >= 2 && v.Count == pair.DenseShape.Count && pair.DenseShape.All(size => size >= 1) && v.Skip(1).SequenceEqual(pair.DenseShape.Skip(1).Select(size => (long)size))
            && u.Count >= 2 && u[0] == v[0] && u[0] >= 1 && u[1] == pair.Out && u.Skip(2).All(size => size == 1);
        if (!fits)
        {
            throw new OnnxFormatException(model.Name, $"layer '{pair.Layer}': U [{string.Join(", ", u)}] and V [{string.Join(", ", v)}] "
                + $"are not factors of [{string.Join(", ", pair.DenseShape)}]");
        }

        if ((long)pair.Out * pair.In > int.MaxValue / sizeof(float))
        {
            throw new OnnxFormatException(model.Name, $"layer '{pair.Layer}': a dense weight of [{string.Join(", ", pair.DenseShape)}] passes the 2 GB that one ONNX file may hold");
        }
    }
}
