using MaestroDeploy.Profiles;
using Microsoft.ML.OnnxRuntime;

namespace MaestroDeploy.Runtime.Elastic;

/// <summary>A family at work: the best variant for a service level, changed between runs as the load allows.</summary>
/// <remarks>
/// Runs may come from any number of threads. Every run is answered by the variant that was active when it began, whatever
/// happens meanwhile. Once warm, a run allocates nothing on the managed heap.
/// </remarks>
public sealed class ElasticSession : IDisposable
{
    readonly Family _family;
    readonly string _name;
    readonly TimeProvider _clock;
    readonly IReadOnlyList<Rung> _ladder;
    readonly Residency _residency;
    readonly LoadFollower _follower;
    readonly BufferPool _pool;
    readonly int[][] _inputShapes, _outputShapes;

    /// <summary>Opens a family for a service level: selects a variant, loads and warms it and its neighbours.</summary>
    /// <param name="family">The family.</param>
    /// <param name="profile">What was measured of it, here or on a device like this one; see <see cref="StaleBecause"/>.</param>
    /// <param name="level">What is asked; null for the most accurate variant. Without a latency limit nothing is governed.</param>
    /// <param name="options">How to run it; null for the defaults.</param>
    /// <param name="clock">The clock; null for the system's.</param>
    /// <exception cref="DeviceException">The device is not to be had.</exception>
    /// <exception cref="ModelException">A variant cannot be loaded or run, or does not take that batch.</exception>
    /// <exception cref="FamilyException">The profile is of another family, or of this one before it was exported again.</exception>
    /// <exception cref="ArgumentException">Weights are to be kept prepacked where they are not prepacked, or not on the processor.</exception>
    public ElasticSession(Family family, LatencyProfile profile, ServiceLevel? level = null, ElasticOptions? options = null, TimeProvider? clock = null)
    {
        _name = options?.Name ?? family.Manifest.Name;
        (_family, _clock, level, options) = (family, clock ?? TimeProvider.System, level ?? new ServiceLevel(), options ?? new ElasticOptions());
        if (profile.FamilySha256 != family.Sha256)
        {
            throw new FamilyException(family.Folder, $"The profile given was measured on another family or edition, {profile.FamilySha256[..12]}…; measure this one.");
        }

        (var settings, FellBackBecause) = Resolve(options);
        options = options with { Settings = settings };
        StaleBecause = profile.StaleBecause(family, DeviceProbe.Read(), settings, options.Batch, options.OpenAxis);
        Selection = VariantSelector.Select(family.Manifest, profile, level);
        _ladder = Ladder.Of(family.Manifest, profile, level, Selection.Variant);
        var home = RungOf(Selection.Variant.Id);
        _residency = new Residency(family, [.. _ladder.Select(rung => family.Manifest.Find(rung.Variant)!)], home, options);
        (_inputShapes, _outputShapes) = _residency.Active.Shapes;
        _follower = new LoadFollower(options, level, _ladder, home, _clock, Move);
        _pool = new BufferPool(CreateBuffers);
    }

    /// <summary>Opens a family's folder with the profile that lies beside it, or else calibrates, which takes some seconds, or as many runs as a slow graph is measured by, and is not kept.</summary>
    /// <param name="folder">The folder that holds <c>family.json</c>.</param>
    /// <param name="level">What is asked; null for the most accurate variant.</param>
    /// <param name="options">How to run it; null for the defaults.</param>
    /// <param name="calibrating">Told before a calibration why no profile holds, as a sentence; null for no one.</param>
    /// <param name="cancellation">Stops a calibration.</param>
    /// <exception cref="OperationCanceledException">A calibration was stopped.</exception>
    /// <exception cref="ProfileFormatException">The manifest cannot be used.</exception>
    /// <exception cref="FamilyException">A file is missing, differs from the manifest, or is a link out of the folder.</exception>
    /// <exception cref="DeviceException">The device is not to be had.</exception>
    /// <exception cref="ModelException">A variant cannot be loaded or run, or does not take that batch.</exception>
    /// <exception cref="ArgumentException">Weights are to be kept prepacked where they are not prepacked, or not on the processor.</exception>
    public static ElasticSession Open(string folder, ServiceLevel? level = null, ElasticOptions? options = null, Action<string>? calibrating = null, CancellationToken cancellation = default)
    {
        (level, options) = (level ?? new ServiceLevel(), options ?? new ElasticOptions());
        var family = Family.Open(folder);
        var settings = Resolve(options).Settings; // what cannot be opened is not calibrated for
        var stored = ProfileStore.Beside(family).Find(family, DeviceProbe.Read(), settings, options.Batch, options.OpenAxis);
        if (stored.Problem is { } problem)
        {
            calibrating?.Invoke(problem);
        }

        var profile = stored.Profile ?? new LatencyMeter().Calibrate(
            family, settings, level, new MeasureOptions { Batch = options.Batch, OpenAxis = options.OpenAxis }, cancellation: cancellation);
        return new ElasticSession(family, profile, level, options);
    }

    /// <summary>Told when another variant has taken over, on the thread that made it so; must not throw.</summary>
    public event Action<VariantSwitch>? Switched;

    /// <summary>The choice made when the session was opened.</summary>
    public Selection Selection { get; }

    /// <summary>Why the profile says little about this device, as a sentence; null when it was measured in this very way.</summary>
    public string? StaleBecause { get; }

    /// <summary>Why the processor stands in for the device that was asked for; null where it does not.</summary>
    public string? FellBackBecause { get; }

    /// <summary>The variant that the next run gets.</summary>
    public Variant Active => _residency.Active.Variant;

    /// <summary>Whether the active variant's last full window of runs missed the limit; not before it has had one, nor where nothing is governed.</summary>
    public bool MissesLimit => _follower.MissesLimit;

    /// <summary>Whether standbys are being loaded or unloaded after a switch.</summary>
    public bool Settling => _residency.Settling;

    /// <summary>Why the last switch could not be followed by loading the right neighbours; null when it could.</summary>
    public string? Problem => _residency.Problem;

    /// <summary>What the graphs take, and in which shape this session runs them.</summary>
    public IReadOnlyList<(TensorSignature Signature, IReadOnlyList<int> Shape)> Inputs =>
        [.. _family.Manifest.Inputs.Zip(_inputShapes, (signature, shape) => (signature, (IReadOnlyList<int>)shape))];

    /// <summary>What the graphs give, and in which shape.</summary>
    public IReadOnlyList<(TensorSignature Signature, IReadOnlyList<int> Shape)> Outputs =>
        [.. _family.Manifest.Outputs.Zip(_outputShapes, (signature, shape) => (signature, (IReadOnlyList<int>)shape))];

    /// <summary>The governor's last decisions; without a latency limit none.</summary>
    public GovernorLog Log => _follower.Log();

    /// <summary>Buffers in managed memory for one run at a time.</summary>
    public RunBuffers CreateBuffers()
    {
        var arrays = new Dictionary<string, Array>(StringComparer.Ordinal);
        var inputs = _family.Manifest.Inputs.Zip(_inputShapes, Create).ToArray();
        var outputs = _family.Manifest.Outputs.Zip(_outputShapes, Create).ToArray();
        return new RunBuffers(this, _pool.TakeIndex(), inputs, outputs, arrays, ownsValues: true);

        OrtValue Create(TensorSignature signature, int[] shape)
        {
            var type = ElementType.Named(signature.Type);
            var numbers = type.Pinned(TensorShapes.Count(shape));
            arrays.Add(signature.Name, numbers);
            return type.Wrap(numbers, Array.ConvertAll(shape, size => (long)size));
        }
    }

    /// <summary>Buffers over tensors of the caller's, which may lie on the device; they must outlive the buffers.</summary>
    /// <param name="inputs">One for each input, in the family's order.</param>
    /// <param name="outputs">One for each output, in the family's order.</param>
    /// <exception cref="ArgumentException">There are too few or too many, or one has another type or shape.</exception>
    public RunBuffers Bind(IReadOnlyList<OrtValue> inputs, IReadOnlyList<OrtValue> outputs)
    {
        Check(Inputs, inputs, nameof(inputs));
        Check(Outputs, outputs, nameof(outputs));
        return new RunBuffers(this, _pool.TakeIndex(), [.. inputs], [.. outputs], [], ownsValues: false);
    }

    /// <summary>Runs the active variant from the inputs in the buffers to the outputs there.</summary>
    /// <param name="buffers">Made by this session, and in no other run.</param>
    /// <returns>The variant that answered.</returns>
    /// <exception cref="InvalidOperationException">The buffers are in use by another run.</exception>
    /// <exception cref="ModelException">The run fails.</exception>
    public Variant Run(RunBuffers buffers)
    {
        buffers.Enter(this);
        try
        {
            var start = _clock.GetTimestamp();
            var resident = _residency.Enter();
            try
            {
                resident.Run(buffers);
            }
            catch (ModelException)
            {
                ElasticMetrics.Failed(_name, resident.Variant.Id);
                throw;
            }
            finally
            {
                resident.Leave();
            }

            Observe(resident, (_clock.GetTimestamp() - start) * 1e6 / _clock.TimestampFrequency);
            return resident.Variant;
        }
        finally
        {
            buffers.Exit();
        }
    }

    /// <summary>Runs the active variant of a family of one float input, and copies its first output.</summary>
    /// <param name="input">The input's numbers for a whole batch, the last axis running fastest.</param>
    /// <param name="output">Room for the first output's numbers, no more and no less.</param>
    /// <returns>The variant that answered.</returns>
    /// <exception cref="ArgumentException">The family takes other inputs or gives another type, or a length is not that of its shape.</exception>
    /// <exception cref="ModelException">The run fails.</exception>
    public Variant Run(ReadOnlySpan<float> input, Span<float> output)
    {
        var (takes, gives) = (_family.Manifest.Inputs, _family.Manifest.Outputs[0]);
        if (takes is not [{ Type: "float32" } only])
        {
            throw new ArgumentException($"The family takes {string.Join(" and ", takes)}, not one float32 input; use {nameof(CreateBuffers)}.", nameof(input));
        }

        if (gives.Type != "float32")
        {
            throw new ArgumentException($"The family gives {gives}, not float32 first; use {nameof(CreateBuffers)}.", nameof(output));
        }

        CheckLength(only, _inputShapes[0], input.Length, nameof(input));
        CheckLength(gives, _outputShapes[0], output.Length, nameof(output));
        var buffers = _pool.Rent();
        try
        {
            input.CopyTo(buffers.Input<float>(only.Name));
            var variant = Run(buffers);
            buffers.Output(gives.Name).CopyTo(output);
            return variant;
        }
        finally
        {
            _pool.Return(buffers);
        }
    }

    /// <summary>Makes another variant active for the runs that begin from now on; the governor goes on from there.</summary>
    /// <param name="id">The id of a variant on the session's ladder, see <see cref="Log"/>.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    /// <exception cref="ModelException">It cannot be loaded; the active one stays.</exception>
    public void SwitchTo(string id)
    {
        var rung = RungOf(id);
        if (rung < 0)
        {
            throw new ArgumentException($"This session uses {string.Join(", ", _ladder.Select(one => $"'{one.Variant}'"))}; '{id}' is none of them.", nameof(id));
        }

        _follower.SwitchTo(rung);
    }

    /// <summary>Unloads everything, after the runs that have begun.</summary>
    public void Dispose()
    {
        _residency.Dispose();
        _pool.Dispose();
    }

    /// <summary>Called by buffers that will not be used again.</summary>
    internal void Forget(RunBuffers buffers)
    {
        _residency.Forget(buffers.Index);
        _pool.GiveIndexBack(buffers.Index);
    }

    static DeviceFallback Resolve(ElasticOptions options)
    {
        var resolved = DeviceFallback.Resolve(options.Settings, options.AllowFallback);
        return options.PackedFolder is null || resolved.Settings.Prepack && resolved.Settings.Device == Device.Cpu ? resolved : throw new ArgumentException(
            $"{nameof(options.PackedFolder)} keeps weights that the processor's kernels prepack; it goes with {nameof(SessionSettings.Prepack)}, and with {Device.Cpu}.", nameof(options));
    }

    int RungOf(string variant) => _ladder.Index().FirstOrDefault(rung => rung.Item.Variant == variant, (-1, default)).Index;

    void Observe(ResidentVariant resident, double microseconds)
    {
        ElasticMetrics.Ran(_name, resident.Variant.Id, microseconds);
        if (_follower.Observe(resident.Rung, microseconds, disturbed: _residency.Settling))
        {
            ElasticMetrics.Missed(_name, resident.Variant.Id);
        }
    }

    void Move(int rung, string because)
    {
        var from = Active;
        _residency.MoveTo(rung);
        var to = Active;
        ElasticMetrics.Switched(_name, to.Id);
        Switched?.Invoke(new VariantSwitch(from, to, because));
    }

    static void CheckLength(TensorSignature signature, int[] shape, int found, string argument)
    {
        var expected = 1;
        foreach (var size in shape)
        {
            expected *= size;
        }

        if (found != expected)
        {
            throw new ArgumentException($"{signature} as [{TensorShapes.Text(shape)}] holds {expected} numbers; found {found}.", argument);
        }
    }

    static void Check(IReadOnlyList<(TensorSignature Signature, IReadOnlyList<int> Shape)> wanted, IReadOnlyList<OrtValue> given, string argument)
    {
        if (given.Count != wanted.Count)
        {
            throw new ArgumentException($"{wanted.Count} tensors were expected; found {given.Count}.", argument);
        }

        foreach (var ((signature, shape), value) in wanted.Zip(given))
        {
            var found = value.IsTensor ? value.GetTensorTypeAndShape() : throw new ArgumentException($"{signature} was expected; found no tensor.", argument);
            if (ElementType.Of(found.ElementDataType)?.Name != signature.Type || !found.Shape.SequenceEqual(shape.Select(size => (long)size)))
            {
                throw new ArgumentException(
                    $"{signature} as [{string.Join(", ", shape)}] was expected; found {found.ElementDataType} [{string.Join(", ", found.Shape)}].", argument);
            }
        }
    }
}

/// <summary>One variant took over from another.</summary>
/// <param name="From">The one before.</param>
/// <param name="To">The one after.</param>
/// <param name="Because">Why, in some words.</param>
public sealed record VariantSwitch(Variant From, Variant To, string Because);
