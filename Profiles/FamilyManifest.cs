using System.Text.Json.Serialization;

namespace MaestroDeploy.Profiles;

/// <summary>What <c>family.json</c> says: every variant cut from one trained model, and every file they need.</summary>
/// <remarks>Latency is not here: it belongs to a device, not to a family.</remarks>
public sealed record FamilyManifest : IVersioned
{
    /// <summary>The manifest's own file name.</summary>
    public const string FileName = "family.json";

    /// <exception cref="ArgumentException">
    /// Two variants share an id, they are not ordered largest first, one names a file that is not listed,
    /// or a plan gives a layer more than the family keeps.
    /// </exception>
    public FamilyManifest(
        string name, int irVersion, int opset, IReadOnlyList<TensorSignature> inputs, IReadOnlyList<TensorSignature> outputs,
        IReadOnlyList<FactoredLayer> layers, Provenance provenance, IReadOnlyList<FileHash> files, Variant dense,
        IReadOnlyList<Variant> variants)
    {
        Name = Check.Text(name, nameof(Name));
        IrVersion = Check.AtLeast(1, irVersion, nameof(IrVersion));
        Opset = Check.AtLeast(1, opset, nameof(Opset));
        Inputs = Check.Inhabited(inputs, nameof(Inputs));
        Outputs = Check.Inhabited(outputs, nameof(Outputs));
        Layers = Check.Distinct(layers, layer => layer.Name, nameof(Layers));
        Provenance = provenance;
        Files = Check.Distinct(files, file => file.File, nameof(Files));
        Dense = dense;
        Variants = Check.Inhabited(variants, nameof(Variants));
        CheckVariants();
    }

    /// <inheritdoc/>
    [JsonIgnore]
    public static int CurrentSchema => 1;

    /// <inheritdoc/>
    public int SchemaVersion { get; } = CurrentSchema;

    /// <summary>The family's name, for people.</summary>
    public string Name { get; }

    /// <summary>ONNX IR version of every graph.</summary>
    public int IrVersion { get; }

    /// <summary>Version of ONNX's own operator set that every graph uses.</summary>
    public int Opset { get; }

    /// <summary>What every variant takes; at least one.</summary>
    public IReadOnlyList<TensorSignature> Inputs { get; }

    /// <summary>What every variant gives; at least one.</summary>
    public IReadOnlyList<TensorSignature> Outputs { get; }

    /// <summary>The layers held as factors; names are distinct.</summary>
    public IReadOnlyList<FactoredLayer> Layers { get; }

    /// <summary>Where the family came from.</summary>
    public Provenance Provenance { get; }

    /// <summary>Every file of the folder but the manifest itself; names are distinct.</summary>
    public IReadOnlyList<FileHash> Files { get; }

    /// <summary>The baseline that every measurement stands beside. A device can do without its files.</summary>
    public Variant Dense { get; }

    /// <summary>The variants, largest MACs first; at least one.</summary>
    public IReadOnlyList<Variant> Variants { get; }

    /// <summary>Whether an input has an open axis besides the batch: a latency then also depends on that axis's size.</summary>
    [JsonIgnore]
    public bool LeavesAxesOpen => Inputs.Any(input => input.Shape.Index().Any(axis => axis.Item.Size is null && !input.GoesOverBatch(axis.Index, TensorSignature.BatchOf(Inputs))));

    /// <summary>The variant of that id, the dense one included; null when there is none.</summary>
    /// <param name="id">A variant's id.</param>
    public Variant? Find(string id) => Variants.Append(Dense).FirstOrDefault(variant => variant.Id == id);

    void CheckVariants()
    {
        _ = Check.Distinct([.. Variants, Dense], variant => variant.Id, nameof(Variants));
        foreach (var (larger, smaller) in Variants.Zip(Variants.Skip(1)))
        {
            if (larger.Macs < smaller.Macs)
            {
                throw new ArgumentException($"Variants go largest MACs first; '{smaller.Id}' comes after the smaller '{larger.Id}'.");
            }
        }

        var files = Files.Select(file => file.File).ToHashSet();
        var ranks = Layers.ToDictionary(layer => layer.Name, layer => layer.Rank);
        foreach (var variant in Variants.Append(Dense))
        {
            if (!files.Contains(variant.File))
            {
                throw new ArgumentException($"Variant '{variant.Id}' needs '{variant.File}', which Files does not list.");
            }

            foreach (var (layer, rank) in variant.Plan?.Layers ?? new Dictionary<string, LayerRank>())
            {
                if (rank.Components > ranks.GetValueOrDefault(layer))
                {
                    throw new ArgumentException(
                        $"Variant '{variant.Id}' gives layer '{layer}' rank {rank}; the family keeps {ranks.GetValueOrDefault(layer)}.");
                }
            }
        }
    }
}
