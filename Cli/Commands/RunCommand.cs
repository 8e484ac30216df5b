using System.CommandLine;
using System.Globalization;
using System.Numerics.Tensors;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Data;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary><c>maestro run</c>: answers an input with the variant that fits.</summary>
static class RunCommand
{
    /// <summary>What <c>run --json</c> prints.</summary>
    /// <param name="Variant">The variant that ran.</param>
    /// <param name="Fits">Whether it keeps the limits.</param>
    /// <param name="Reason">Why it was chosen.</param>
    /// <param name="Outputs">The outputs by name.</param>
    internal sealed record RunReport(VariantReport Variant, bool Fits, string Reason, IReadOnlyList<OutputReport> Outputs);

    /// <summary>One output.</summary>
    /// <param name="Name">Its name in the graph.</param>
    /// <param name="Shape">Its shape, batch first.</param>
    /// <param name="Values">Row-major; null stands for what JSON has no number for, infinities and NaN.</param>
    /// <param name="Largest">For each sample, where its largest value stands: a classifier's answer.</param>
    internal sealed record OutputReport(string Name, int[] Shape, float?[] Values, int[] Largest);

    public static Command Create(Terminal terminal)
    {
        var input = new Option<string>("--input") { Description = "A .npy file of float32: one sample, or a batch with its axis in front.", Required = true };
        var output = new Option<string?>("--out") { Description = "A .npy file for the first output." };
        var command = new Command("run", "Run the variant that fits on an input.") { input, output };
        var choosing = new Choosing();
        choosing.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            var (family, settings, selection) = choosing.Choose(parsed, terminal, cancellation);
            var outputs = Run(family, selection, NpyFile.Read(parsed.GetValue(input)!), parsed.GetValue(input)!, settings);
            terminal.Say(selection.Reason);
            foreach (var one in outputs)
            {
                terminal.Say(Describe(one));
            }

            if (parsed.GetValue(output) is { } file)
            {
                NpyFile.Write(file, [.. outputs[0].Shape], outputs[0].Values);
            }

            terminal.Answer(new RunReport(selection.Variant, selection.Fits, selection.Reason, [.. outputs.Select(Report)]));
            return Task.FromResult(0);
        });
        return command;
    }

    /// <summary>Runs the chosen variant.</summary>
    /// <exception cref="CommandException">The input is not of the type or shape that the family takes.</exception>
    public static IReadOnlyList<NamedTensor> Run(Family family, SelectionReport selection, NpyArray input, string file, SessionSettings settings)
    {
        using var session = new ModelSession(family.PathOf(family.Manifest.Find(selection.Variant.Id)!), settings);
        var wanted = session.Inputs[0];
        if (input.DType != "float32")
        {
            throw new CommandException($"{file}: it holds {input.DType}, and the family takes {wanted}{Scaling(family)}.");
        }

        // One sample may come without its batch axis.
        int[] shape = input.Shape.Length == wanted.Shape.Count - 1 ? [1, .. input.Shape] : [.. input.Shape];
        var fits = shape.Length == wanted.Shape.Count && shape.Zip(wanted.Shape).All(axis => axis.First > 0 && (axis.Second.Size ?? axis.First) == axis.First);
        if (!fits)
        {
            throw new CommandException($"{file}: its shape is [{string.Join(", ", input.Shape)}], and the family takes {wanted}{Scaling(family)}.");
        }

        return session.RunAll(input.Values, shape);
    }

    /// <summary>For each sample of an output, where its largest value stands: a classifier's answer.</summary>
    public static int[] Largest(NamedTensor output)
    {
        var samples = output.Shape.Length == 0 ? 1 : output.Shape[0];
        var size = samples == 0 ? 0 : output.Values.Length / samples;
        return size == 0 ? [] : [.. Enumerable.Range(0, samples).Select(sample => TensorPrimitives.IndexOfMax<float>(output.Values.AsSpan(sample * size, size)))];
    }

    static OutputReport Report(NamedTensor output) => new(
        output.Name, output.Shape, Array.ConvertAll(output.Values, value => float.IsFinite(value) ? value : (float?)null), Largest(output));

    static string Scaling(Family family) => family.Manifest.Provenance.Scaling is { } scaling ? $", scaled as {scaling}" : "";

    static string Describe(NamedTensor output)
    {
        const int Shown = 10;
        var values = string.Join(", ", output.Values.Take(Shown).Select(value => value.ToString("g4", CultureInfo.InvariantCulture)));
        return $"{output.Name} [{string.Join(", ", output.Shape)}]: {values}{(output.Values.Length > Shown ? ", …" : "")}; largest at {string.Join(", ", Largest(output).Take(Shown))}";
    }
}
