using System.Runtime.InteropServices;
using Google.Protobuf;
using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Compressor.Factoring;

/// <summary>Along which directions each layer of a model answers on real inputs: what a data-aware decomposition keeps first.</summary>
/// <remarks>
/// <para>
/// Of all matrices of rank r, <c>P·Pᵀ·W</c> is nearest to W on the layer's inputs, in E‖(W − W_r)·x‖², when P's columns are the first r
/// eigenvectors of <c>E[y·yᵀ]</c>, y = W·x. It is the decomposition that whitening by the Gram matrix G = E[x·xᵀ] gives (FlexRank's
/// DataSVD; DRONE; SVD-LLM), since E[y·yᵀ] = W·G·Wᵀ = (W·G^½)·(W·G^½)ᵀ: its eigenvalues are the squares of the whitened singular
/// values, and what is cut costs the sum of theirs.
/// </para>
/// <para>
/// Taken from the answers, it needs no windows of a convolution's inputs, out² numbers instead of (in·k²)², and no inverse of G, which
/// few samples leave without one.
/// </para>
/// <para>
/// Answers do not matter alike: an error δ of them changes the outputs' squares by δᵀ·S·δ, S = E[g·gᵀ] of the outputs' gradients (as if
/// what a convolution answers at one place had nothing to do with what it answers at another; K-FAC, arXiv:1503.05671 and
/// arXiv:1602.01407). So it is R·y whose error is made small, R = S^½: the directions are R⁻¹ times the eigenvectors of R·E[y·yᵀ]·R.
/// </para>
/// <para>
/// A model that is trained once it is cut takes up the mean of what it lost, and its layers keep to the directions that they have. Centred, the covariance of y stands for E[y·yᵀ], and
/// W·Wᵀ with a fifth of its trace is added, as if a part of the inputs were white.
/// </para>
/// </remarks>
public sealed class PrincipalResponses : IDisposable
{
    const long MostFloats = 64 << 20; // of all responses to one batch
    const int LargestBatch = 256;

    // What two slow cores do in some minutes; a few samples are watched of a model that takes longer.
    const double MostMacs = 4e12;
    const int FewestSamples = 16;
    const double ShareOfGradients = 0.25; // of those products
    const int MostGradientSamples = 512;

    readonly Dictionary<string, PrincipalDirections> _directions = [];
    readonly Dictionary<string, string> _byWeights = [];

    PrincipalResponses()
    {
    }

    /// <summary>The layers that nothing is known of, and why; they are decomposed by their weights alone.</summary>
    public IReadOnlyDictionary<string, string> ByWeights => _byWeights;

    /// <summary>Why every answer of a layer counts alike, whatever the outputs make of it; null where it does not.</summary>
    public string? WhyAlike { get; private set; }

    /// <summary>Runs a model in ONNX Runtime and watches its layers, and their effect on its outputs in Torch.</summary>
    /// <param name="model">A dense model; where the trainer lacks its operators, every answer counts alike.</param>
    /// <param name="inputs">What it is run on; some hundred samples are enough.</param>
    /// <param name="choice">Which layers; null for all.</param>
    /// <param name="settings">How to run it; null for the defaults.</param>
    /// <param name="progress">Told the number of batches done; null for no one.</param>
    /// <param name="followOutputs">Whether an answer counts by what the outputs make of it; if not, every answer counts alike.</param>
    /// <param name="centred">Whether answers count by how they vary, and its weights have a say of a fifth: for a model that is trained once it is cut.</param>
    /// <param name="cancellation">Checked before each batch.</param>
    /// <exception cref="OnnxFormatException">No weight can be factored, or the inputs are not those that the model takes.</exception>
    /// <exception cref="RuntimeException">The model cannot be run.</exception>
    public static PrincipalResponses Measure(OnnxModel model, CalibrationInputs inputs, LayerChoice? choice = null, SessionSettings? settings = null,
        IProgress<int>? progress = null, bool followOutputs = true, bool centred = false, CancellationToken cancellation = default)
    {
        var responses = new PrincipalResponses();
        var watched = SvdFactoring.Layers(model, choice ?? LayerChoice.All).ToLookup(ResponseMoment.IsTooLarge);
        foreach (var layer in watched[true])
        {
            responses._byWeights[layer.Name] = $"the statistics of {Math.Min(layer.Out, layer.Columns):N0} directions would pass 256 MB";
        }

        WeightLayer[] layers = [.. watched[false]];
        if (layers.Length > 0)
        {
            responses.WhyAlike = followOutputs ? null : "it was asked for";
            responses.Watch(model, layers, inputs, settings, progress, centred, cancellation);
        }

        return responses;
    }

    internal PrincipalDirections? Of(WeightLayer layer) => _directions.GetValueOrDefault(layer.Name);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var directions in _directions.Values)
        {
            directions.Dispose();
        }
    }

    void Watch(OnnxModel model, WeightLayer[] layers, CalibrationInputs inputs, SessionSettings? settings, IProgress<int>? progress, bool centred, CancellationToken cancellation)
    {
        var moments = layers.ToDictionary(layer => layer.Name, layer => new ResponseMoment(layer, layer.Matrix(model)));
        ResponseGradients? gradients = null;
        try
        {
            using var session = new ModelSession(model.Name, ResponseGraph.Of(model, layers).Proto.ToByteArray(), settings);
            if (WhyAlike is null)
            {
                Differentiable(() => gradients = new ResponseGradients(model, layers));
            }

            var bounds = Bounds(model, session, layers, inputs(session, 1).First());
            var (batches, samples) = (0, 0);
            foreach (var batch in inputs(session, bounds.LargestBatch).TakeWhile(_ => samples < bounds.Samples))
            {
                cancellation.ThrowIfCancellationRequested();
                var answers = Run(model, session, batch).ToDictionary(output => output.Name);
                foreach (var (layer, node) in layers.SelectMany(layer => layer.Nodes, (layer, node) => (layer, node)))
                {
                    moments[layer.Name].Add(answers[node.Output[0]], answers.GetValueOrDefault(ResponseGraph.BiasOf(node))?.Values);
                }

                if (WhyAlike is null && samples < bounds.GradientSamples)
                {
                    Differentiable(() => gradients!.Take(batch, (layer, rows) => moments[layer.Name].AddGradients(rows)));
                }

                samples += Samples(batch);
                progress?.Report(++batches);
            }

            foreach (var layer in layers)
            {
                Keep(layer, moments[layer.Name].Directions(centred));
            }
        }
        finally
        {
            gradients?.Dispose();
            foreach (var moment in moments.Values)
            {
                moment.Dispose();
            }
        }
    }

    /// <summary>Asks for what Torch may refuse; why it did is then in <see cref="WhyAlike"/>.</summary>
    void Differentiable(Action ask)
    {
        try
        {
            ask();
        }
        catch (Exception e) when (e is UntrainableModelException or ExternalException)
        {
            WhyAlike = e.Message.Split('\n')[0];
        }
    }

    static IReadOnlyList<NamedTensor> Run(OnnxModel model, ModelSession session, IReadOnlyList<InputTensor> batch)
    {
        try
        {
            return session.RunAll([.. batch]);
        }
        catch (ArgumentException e)
        {
            throw new OnnxFormatException(model.Name, $"it does not take the inputs that it is to be watched on: {e.Message}", e);
        }
    }

    void Keep(WeightLayer layer, PrincipalDirections? directions)
    {
        if (directions is null)
        {
            _byWeights[layer.Name] = "its responses were none, all the same, or not finite";
        }
        else
        {
            _directions[layer.Name] = directions;
        }
    }

    /// <summary>How many samples a batch may hold, and how many may be watched, forward and backward, by what the layers answer to a first batch.</summary>
    /// <remarks>By a run, since a graph need not tell its shapes: of an image of a million pixels one sample's answers may fill the memory.</remarks>
    static (int LargestBatch, int Samples, int GradientSamples) Bounds(OnnxModel model, ModelSession session, WeightLayer[] layers, IReadOnlyList<InputTensor> first)
    {
        var samples = Samples(first);
        var answers = Run(model, session, first).ToDictionary(output => output.Name, output => (double)output.Values.Length / samples);
        var (floats, macs) = (Math.Max(1, answers.Values.Sum()), Math.Max(1, layers.Sum(layer => layer.Columns * layer.Nodes.Sum(node => answers[node.Output[0]]))));
        var gradients = (int)Math.Clamp(ShareOfGradients * MostMacs / macs / ResponseGradients.Passes, FewestSamples, MostGradientSamples);
        return ((int)Math.Clamp(MostFloats / floats, 1, Math.Min(LargestBatch, gradients)), (int)Math.Clamp(MostMacs / macs, FewestSamples, int.MaxValue), gradients);
    }

    // The first input's first axis goes over the samples, as where graphs are run.
    static int Samples(IReadOnlyList<InputTensor> batch) => batch[0].Shape is [var samples, ..] ? samples : 1;
}
