using Google.Protobuf;
using MaestroDeploy.Onnx.Protos;

namespace MaestroDeploy.Onnx;

/// <summary>An ONNX model in memory, with the folder its external data lies in: what every stage takes and gives.</summary>
/// <remarks>
/// External tensors stay references until they are read, and unknown fields are kept: loading and saving changes nothing.
/// A loaded model has been checked: see <see cref="GraphCheck"/>.
/// </remarks>
public sealed class OnnxModel
{
    /// <summary>In the file, ONNX's own operator set is the empty string (OperatorSetIdProto.domain).</summary>
    public const string StandardDomain = "";

    // What ONNX's own set is called by some files.
    const string StandardDomainInFull = "ai.onnx";

    /// <param name="proto">The model; it must have a graph.</param>
    /// <param name="name">What messages call it: a file's name, or a built-in model's.</param>
    /// <param name="folder">Where its external data lies; null when it has none.</param>
    public OnnxModel(ModelProto proto, string name, string? folder = null)
    {
        Proto = proto;
        Name = name;
        Folder = folder;
    }

    /// <summary>The protobuf message, to read and to change.</summary>
    public ModelProto Proto { get; }

    /// <summary>The main graph.</summary>
    public GraphProto Graph => Proto.Graph;

    /// <summary>What messages call this model.</summary>
    public string Name { get; }

    /// <summary>The folder that external locations are relative to; null for a model made in memory.</summary>
    public string? Folder { get; }

    /// <summary>The version of the standard operator set; 1 where none is imported.</summary>
    public long Opset => Proto.OpsetImport.LastOrDefault(set => IsStandard(set.Domain))?.Version ?? 1;

    /// <summary>Whether a Gemm of this model must have a bias: until opset 10.</summary>
    public bool GemmNeedsBias => Opset < 11;

    /// <summary>Graph inputs that a caller feeds: those that are not initializers (files of IR 3 list both).</summary>
    public IEnumerable<ValueInfoProto> Inputs
    {
        get
        {
            var initializers = Graph.Initializer.Select(tensor => tensor.Name).ToHashSet();
            return Graph.Input.Where(input => !initializers.Contains(input.Name));
        }
    }

    /// <summary>Whether a domain is that of ONNX's own operator set.</summary>
    public static bool IsStandard(string domain) => domain is StandardDomain or StandardDomainInFull;

    /// <summary>Reads and checks a model file.</summary>
    /// <exception cref="OnnxFormatException">The file is missing, is not an ONNX model, or fails <see cref="GraphCheck"/>.</exception>
    public static OnnxModel Load(string path)
    {
        if (!File.Exists(path))
        {
            throw new OnnxFormatException(path, "no such file");
        }

        ModelProto proto;
        try
        {
            using var stream = File.OpenRead(path);
            proto = ModelProto.Parser.ParseFrom(stream);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new OnnxFormatException(path, "not an ONNX model, or cut short: its protobuf does not parse", e);
        }
        catch (IOException e)
        {
            throw new OnnxFormatException(path, e.Message, e);
        }

        var model = new OnnxModel(proto, path, Path.GetDirectoryName(Path.GetFullPath(path)));
        GraphCheck.Check(model);
        return model;
    }

    /// <summary>Writes the model beside <paramref name="path"/> and renames it into place, its external data files along with it.</summary>
    /// <exception cref="IOException">The folder cannot be written, or holds another file by the name of a data file.</exception>
    /// <exception cref="OnnxFormatException">The tensors that it holds itself exceed what one ONNX file may hold.</exception>
    public void Save(string path)
    {
        CheckSize(Graph.StoredTensors().Where(tensor => !ExternalData.IsExternal(tensor)), "its tensors");
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        CarryExternalData(folder);
        var partial = path + ".partial";
        try
        {
            using (var stream = File.Create(partial))
            {
                Proto.WriteTo(stream);
            }

            File.Move(partial, path, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    /// <summary>A deep copy that can be rewritten without touching this one.</summary>
    public OnnxModel Clone() => new(Proto.Clone(), Name, Folder);

    /// <summary>The initializer of that name, or null.</summary>
    public TensorProto? Initializer(string name) => Graph.Initializer.FirstOrDefault(tensor => tensor.Name == name);

    /// <summary>The tensor that a value always is: an initializer's, or a Constant node's; null for values that are computed or fed.</summary>
    public TensorProto? Constant(string name) => Initializer(name)
        ?? Graph.Node.FirstOrDefault(node => node.OpType == "Constant" && node.Output.Contains(name))?.ConstantTensor();

    /// <summary>Puts a tensor in the place of the initializer of its name.</summary>
    /// <exception cref="OnnxFormatException">There is no initializer of that name.</exception>
    public void ReplaceInitializer(TensorProto tensor)
    {
        var old = Initializer(tensor.Name) ?? throw new OnnxFormatException(Name, $"it has no initializer '{tensor.Name}'");
        Graph.Initializer[Graph.Initializer.IndexOf(old)] = tensor;
    }

    /// <summary>The value of a <c>metadata_props</c> entry, or null.</summary>
    public string? Metadata(string key) => Proto.MetadataProps.LastOrDefault(entry => entry.Key == key)?.Value;

    /// <summary>Makes every initializer one that nobody can feed, as those are that are added without being listed among the inputs.</summary>
    /// <remarks>Files before IR 4 must list all of them there, and from IR 4 on a listed one is only a default, which ONNX Runtime folds nothing into.</remarks>
    public void FixInitializers()
    {
        var fed = Inputs.ToList();
        Graph.Input.Clear();
        Graph.Input.AddRange(fed);
        Proto.IrVersion = Math.Max(4, Proto.IrVersion);
    }

    /// <summary>Adds or replaces a <c>metadata_props</c> entry.</summary>
    public void SetMetadata(string key, string value)
    {
        RemoveMetadata(key);
        Proto.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
    }

    /// <summary>Removes a <c>metadata_props</c> entry if it is there.</summary>
    public void RemoveMetadata(string key)
    {
        foreach (var entry in Proto.MetadataProps.Where(entry => entry.Key == key).ToList())
        {
            Proto.MetadataProps.Remove(entry);
        }
    }

    /// <summary>Brings all tensors that lie in data files into the model itself.</summary>
    /// <exception cref="OnnxFormatException">A data file cannot be read, or all of them together exceed what one ONNX file may hold.</exception>
    public void InlineData()
    {
        var external = Graph.StoredTensors().Where(ExternalData.IsExternal).ToList();
        CheckSize(Graph.StoredTensors(), "its tensors, those in data files among them,");

        foreach (var tensor in external)
        {
            tensor.RawData = ByteString.CopyFrom(this.Bytes(tensor));
            tensor.ExternalData.Clear();
            tensor.ClearDataLocation();
        }
    }

    /// <summary>Lets a caller choose the batch: the first axis of every input and output loses its fixed size, if it has one.</summary>
    /// <remarks>Reshape and Resize nodes that fix it too are rewritten where their place in the batch can be told: see <see cref="BatchAxis"/>.</remarks>
    public void OpenBatchAxis()
    {
        BatchAxis.Free(this);
        var batch = ShapesOf(Inputs).FirstOrDefault(shape => shape.Dim[0].HasDimValue)?.Dim[0].DimValue;
        var name = FreeAxisName();
        foreach (var shape in ShapesOf(Inputs.Concat(Graph.Output)).Where(shape => shape.Dim[0].HasDimValue))
        {
            shape.Dim[0] = new TensorShapeProto.Types.Dimension { DimParam = name };
        }

        if (batch is not null)
        {
            OpenStatedShapes(batch.Value);
        }

        static IEnumerable<TensorShapeProto> ShapesOf(IEnumerable<ValueInfoProto> values) =>
            [.. values.Select(value => value.Type?.TensorType?.Shape).OfType<TensorShapeProto>().Where(shape => shape.Dim.Count > 1)];
    }

    // Axes of one name are of one size, so the batch wants a name of its own.
    string FreeAxisName()
    {
        var taken = Graph.Input.Concat(Graph.Output).Concat(Graph.ValueInfo).Select(value => value.Type?.TensorType?.Shape).OfType<TensorShapeProto>()
            .SelectMany(shape => shape.Dim).Select(axis => axis.DimParam).ToHashSet();
        return Enumerable.Range(1, int.MaxValue).Select(i => i == 1 ? "N" : $"N{i}").First(name => !taken.Contains(name));
    }

    // What the file states of inner values held at its batch. Where the first axis alone is of that size, it is the batch, and left to be inferred;
    // elsewhere the batch may be any axis or a part of one, and ONNX Runtime would optimise for the sizes stated, so they go.
    void OpenStatedShapes(long batch)
    {
        foreach (var tensor in Graph.ValueInfo.Select(value => value.Type?.TensorType).OfType<TypeProto.Types.Tensor>())
        {
            if (tensor.Shape is { Dim: [{ } first, ..] axes } && first.DimValue == batch && axes.Count(axis => axis.DimValue == batch) == 1)
            {
                axes[0] = new TensorShapeProto.Types.Dimension();
            }
            else
            {
                tensor.Shape = null;
            }
        }
    }

    void CheckSize(IEnumerable<TensorProto> tensors, string what)
    {
        const long LargestFile = int.MaxValue; // protobuf's limit: a longer file is written without complaint, and read by no one
        if (tensors.Sum(ElementTypes.Bytes) is > LargestFile and var bytes)
        {
            throw new OnnxFormatException(Name, $"{what} take {bytes:N0} bytes, more than the 2 GB that one ONNX file may hold");
        }
    }

    void CarryExternalData(string folder)
    {
        if (Folder is null || Path.GetFullPath(Folder) == folder)
        {
            return;
        }

        foreach (var location in Graph.StoredTensors().Where(ExternalData.IsExternal).Select(tensor => ExternalData.Of(tensor, Folder, Name).Location).Distinct())
        {
            var (from, to) = (Path.Combine(Folder, location), Path.Combine(folder, location));
            if (File.Exists(to))
            {
                throw new IOException($"{to}: a file of that name is there already, and the model's data file would take its place; save into another folder");
            }

            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(from, to + ".partial", overwrite: true);
            File.Move(to + ".partial", to);
        }
    }
}
