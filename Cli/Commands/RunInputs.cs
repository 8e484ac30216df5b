using MaestroDeploy.Data;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary>What <c>run --input</c> names, as the tensors that a graph takes.</summary>
/// <param name="wanted">What the graph takes, in its order.</param>
/// <param name="hint">What to add where an array does not fit; may be empty.</param>
sealed class RunInputs(IReadOnlyList<TensorSignature> wanted, string hint)
{
    /// <summary>Reads the files.</summary>
    /// <param name="given">Each <c>FILE.npy</c> (of a graph of one input), <c>NAME=FILE.npy</c>, or a <c>FILE.npz</c> that holds an array for each input by its name.</param>
    /// <exception cref="UsageException">A file is for no input, or an input is given twice.</exception>
    /// <exception cref="CommandException">An array is not of its input's type or shape, or an input is not given.</exception>
    /// <exception cref="DataFormatException">A file cannot be read.</exception>
    public InputTensor[] Read(IEnumerable<string> given)
    {
        var tensors = new Dictionary<string, InputTensor>(StringComparer.Ordinal);
        foreach (var (name, array, file) in given.SelectMany(Arrays))
        {
            var signature = wanted.FirstOrDefault(one => one.Name == name) ?? throw new UsageException($"--input: {file} is for '{name}', and the graph takes {All}.");
            if (!tensors.TryAdd(name, Fit(signature, array, file)))
            {
                throw new UsageException($"--input: '{name}' is given twice, the second time by {file}.");
            }
        }

        return wanted.FirstOrDefault(one => !tensors.ContainsKey(one.Name)) is { } missing
            ? throw new UsageException($"--input: the graph takes {All}, and {missing.Name} is not given; give {missing.Name}=FILE.npy.")
            : [.. tensors.Values];
    }

    string All => string.Join(" and ", wanted);

    IEnumerable<(string Name, NpyBytes Array, string File)> Arrays(string given)
    {
        // An input's name may have a '=' in it, and so may a file's.
        var name = wanted.Select(one => one.Name).Where(one => given.StartsWith(one + '=', StringComparison.Ordinal)).MaxBy(one => one.Length);
        var file = name is null ? given : given[(name.Length + 1)..];
        if (file.EndsWith(".npz", StringComparison.OrdinalIgnoreCase))
        {
            return name is null
                ? NpzFile.ReadBytes(file).Select(array => (array.Key, array.Value, $"{file}({array.Key})"))
                : throw new UsageException($"--input: a .npz holds an array for each input by its name, so '{name}=' before {file} says nothing; leave it out.");
        }

        if (name is null && given.IndexOf('=', StringComparison.Ordinal) is > 0 and var at && !File.Exists(given))
        {
            throw new UsageException($"--input: the graph has no input '{given[..at]}'; it takes {All}.");
        }

        return name is not null ? [(name, NpyFile.ReadBytes(file), file)]
            : wanted is [var only] ? [(only.Name, NpyFile.ReadBytes(file), file)]
            : throw new UsageException($"--input: the graph takes {All}, and {file} could be any of them; give NAME={file} for each, or one .npz that holds them all.");
    }

    // One sample may come without its batch axis; and ONNX Runtime's float16 may be given float32, which is rounded.
    InputTensor Fit(TensorSignature signature, NpyBytes array, string file)
    {
        int[] shape = array.Shape.Length == signature.Shape.Count - 1 ? [1, .. array.Shape] : [.. array.Shape];
        var fits = shape.Length == signature.Shape.Count && shape.Zip(signature.Shape).All(axis => axis.First > 0 && (axis.Second.Size ?? axis.First) == axis.First);
        if (!fits)
        {
            throw new CommandException($"{file}: its shape is [{string.Join(", ", array.Shape)}], and the graph takes {signature}{hint}.");
        }

        return array.DType == signature.Type || (array.DType, signature.Type) is ("float32", "float16")
            ? InputTensor.FromBytes(signature.Name, array.DType, array.Bytes, shape)
            : throw new CommandException($"{file}: it holds {array.DType}, and the graph takes {signature}{hint}; save x.astype('{signature.Type}').");
    }
}
