using System.CommandLine;
using System.Globalization;
using System.Numerics.Tensors;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Data;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary><c>maestro run</c>: answers an input with a family's variant that fits, or with one graph.</summary>
static class RunCommand
{
    /// <summary>What <c>run --json</c> prints.</summary>
    /// <param name="Variant">The variant that ran; absent for one graph, and so are the next two.</param>
    /// <param name="Fits">Whether it keeps the limits.</param>
    /// <param name="Reason">Why it was chosen.</param>
    /// <param name="Outputs">The outputs by name.</param>
    internal sealed record RunReport(VariantReport? Variant, bool? Fits, string? Reason, IReadOnlyList<OutputReport> Outputs);

    /// <summary>One output.</summary>
    /// <param name="Name">Its name in the graph.</param>
    /// <param name="Type">Its type: <c>float32</c>, <c>int64</c> and so on.</param>
    /// <param name="Shape">Its shape, batch first.</param>
    /// <param name="Values">Row-major; null stands for what JSON has no number for, infinities and NaN.</param>
    /// <param name="Largest">Of <c>float32</c> and <c>float16</c>, where the largest value of each sample stands: a classifier's answer.</param>
    internal sealed record OutputReport(string Name, string Type, int[] Shape, IReadOnlyList<object?> Values, int[]? Largest);

    public static Command Create(Terminal terminal)
    {
        var input = new Option<string[]>("--input")
        {
            Description = "FILE.npy, or NAME=FILE.npy for each of several inputs, or a FILE.npz with an array for each by its name. One sample may lack its batch axis.",
            Required = true,
        };
        var output = new Option<string?>("--out") { Description = "A .npz file for every output by its name, or a .npy file for the first." };
        var command = new Command("run", "Run the variant that fits, or one graph, on an input.") { input, output };
        var choosing = new Choosing("A family's folder, or one .onnx file.");
        choosing.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            OutputPaths.CheckFile(output.Name, parsed.GetValue(output), parsed.GetValue(input)!);
            terminal.Answer(choosing.Graph(parsed, terminal) is var (graph, settings)
                ? new RunReport(null, null, null, Answer(graph, settings, ""))
                : Choose());
            return Task.FromResult(0);

            RunReport Choose()
            {
                var (family, settings, selection) = choosing.Choose(parsed, terminal, cancellation);
                terminal.Say(selection.Reason);
                var scaling = family.Manifest.Provenance.Scaling is { } words ? $", scaled as {words}" : "";
                return new RunReport(selection.Variant, selection.Fits, selection.Reason, Answer(family.PathOf(family.Manifest.Find(selection.Variant.Id)!), settings, scaling));
            }

            OutputReport[] Answer(string path, SessionSettings settings, string hint)
            {
                using var session = new ModelSession(path, settings);
                var outputs = session.RunTyped(new RunInputs(session.Inputs, hint).Read(parsed.GetValue(input)!));
                var answers = outputs.Select(Report).ToArray();
                Array.ForEach(answers, answer => terminal.Say(Describe(answer)));

                if (session.OtherOutputs.Count > 0)
                {
                    terminal.Say($"Not of numbers, and left out: {string.Join(", ", session.OtherOutputs)}.");
                }

                if (parsed.GetValue(output) is { } file)
                {
                    Write(file, outputs);
                }

                return answers;
            }
        });
        return command;
    }

    static void Write(string file, IReadOnlyList<OutputTensor> outputs)
    {
        if (file.EndsWith(".npz", StringComparison.OrdinalIgnoreCase))
        {
            NpzFile.Write(file, outputs.Select(output => (output.Name, AsNumPy(output))));
        }
        else
        {
            NpyFile.Write(file, AsNumPy(outputs[0]));
        }

        static NpyBytes AsNumPy(OutputTensor output) => new([.. output.Shape], output.Type, output.Bytes);
    }

    static OutputReport Report(OutputTensor output)
    {
        var values = output.ToArray();
        return new(output.Name, output.Type, output.Shape, [.. values.Cast<object>().Select(Finite)], values is float[] numbers ? Largest(numbers, output.Shape) : null);
    }

    static object? Finite(object value) => value switch
    {
        float number => float.IsFinite(number) ? value : null,
        double number => double.IsFinite(number) ? value : null,
        _ => value,
    };

    static int[] Largest(float[] values, int[] shape)
    {
        var samples = shape.Length == 0 ? 1 : shape[0];
        var size = samples == 0 ? 0 : values.Length / samples;
        return size == 0 ? [] : [.. Enumerable.Range(0, samples).Select(sample => TensorPrimitives.IndexOfMax<float>(values.AsSpan(sample * size, size)))];
    }

    static string Describe(OutputReport answer)
    {
        const int Shown = 10;
        var shown = answer.Values.Take(Shown).Select(value => value switch
        {
            null => "not finite",
            float or double => ((IFormattable)value).ToString("g4", CultureInfo.InvariantCulture),
            _ => Convert.ToString(value, CultureInfo.InvariantCulture),
        });
        var largest = answer.Largest is { } at ? $"; largest at {string.Join(", ", at.Take(Shown))}" : "";
        return $"{answer.Name} {answer.Type} [{string.Join(", ", answer.Shape)}]: {string.Join(", ", shown)}{(answer.Values.Count > Shown ? ", …" : "")}{largest}";
    }
}
