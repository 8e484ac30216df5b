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
    readonly ElasticOptions _options;
    readonly ServiceLevel _level;
    readonly TimeProvider _clock;
    readonly long _opened;
    readonly IReadOnlyList<Rung> _ladder;
    readonly int _home;
    readonly Residency _residency;
    readonly int[][] _inputShapes, _outputShapes;

    readonly Governor? _governor;
    readonly LatencyWindow _window;
    readonly GovernorRecorder _log;
    readonly Lock _governing = new(); // guards the two above and the state
    GovernorState _state;
    bool _missesLimit;

    readonly Lock _pooling = new(); // guards the two below
    readonly Stack<RunBuffers> _pool = new();
    readonly SortedSet<int> _freeIndices = [];
    int _indices;

    /// <summary>Opens a family for a service level: selects a variant, loads and warms it and its neighbours.</summary>
    /// <param name="family">The family.</param>
    /// <param name="profile">What was measured of it, here or on a device like this one; see <see cref="StaleBecause"/>.</param>
    /// <param name="level">What is asked; null for the most accurate variant. Without a latency limit nothing is governed.</param>
    /// <param name="options">How to run it; null for the defaults.</param>
    /// <param name="clock">The clock; null for the system's.</param>
    /// <exception cref="DeviceException">The device is not to be had.</exception>
    /// <exception cref="ModelException">A variant cannot be loaded or run, or does not take that batch.</exception>
    /// <exception cref="FamilyException">The profile is of another family, or of this one before it was exported again.</exception>
    public ElasticSession(Family family, LatencyProfile profile, ServiceLevel? level = null, ElasticOptions? options = null, TimeProvider? clock = null)
    {
        (_family, _level, _options, _clock) = (family, level ?? new ServiceLevel(), options ?? new ElasticOptions(), clock ?? TimeProvider.System);
        (var settings, FellBackBecause) = DeviceFallback.Resolve(_options.Settings, _options.AllowFallback);
        _options = _options with { Settings = settings };
        if (profile.FamilySha256 != family.Sha256)
        {
            throw new FamilyException(family.Folder, $"The profile given was measured on another family or edition, {profile.FamilySha256[..12]}…; measure this one.");
        }

        StaleBecause = profile.StaleBecause(
            family.Sha256, DeviceProbe.Read(), _options.Settings.Device.ToString(), _options.Settings.Threads, _options.Batch);
        Selection = VariantSelector.Select(family.Manifest, profile, _level);
        _ladder = Ladder.Of(family.Manifest, profile, _level, Selection.Variant);
        _home = _ladder.Index().First(rung => rung.Item.Variant == Selection.Variant.Id).Index;
        _governor = _options.Governor is { } rules && _level.MaxLatency is { } limit
            ? new Governor(rules, _ladder, _home, limit.TotalMicroseconds)
            : null;
        _state = _governor?.Start ?? new GovernorState(_home, 0, 0, 0, 0);
        _window = new LatencyWindow((_options.Governor ?? new GovernorRules()).WindowRuns, _level.Percentile);
        _log = new GovernorRecorder(_options.LogCapacity);
        _residency = new Residency(family, [.. _ladder.Select(rung => family.Manifest.Find(rung.Variant)!)], _home, _options);
        (_inputShapes, _outputShapes) = _residency.Active.Shapes;
        _opened = _clock.GetTimestamp();
    }

    /// <summary>Opens a family's folder with the profile that lies beside it, or else calibrates, which takes some seconds and is not kept.</summary>
    /// <param name="folder">The folder that holds <c>family.json</c>.</param>
    /// <param name="level">What is asked; null for the most accurate variant.</param>
    /// <param name="options">How to run it; null for the defaults.</param>
    /// <param name="cancellation">Stops a calibration.</param>
    /// <exception cref="ProfileFormatException">The manifest cannot be used.</exception>
    /// <exception cref="FamilyException">A file is missing, differs from the manifest, or is a link out of the folder.</exception>
    /// <exception cref="DeviceException">The device is not to be had.</exception>
    /// <exception cref="ModelException">A variant cannot be loaded or run, or does not take that batch.</exception>
    public static ElasticSession Open(string folder, ServiceLevel? level = null, ElasticOptions? options = null, CancellationToken cancellation = default)
    {
        (level, options) = (level ?? new ServiceLevel(), options ?? new ElasticOptions());
        var family = Family.Open(folder);
        var settings = DeviceFallback.Resolve(options.Settings, options.AllowFallback).Settings;
        var profile = ProfileStore.Beside(family).Find(family, DeviceProbe.Read(), settings, options.Batch).Profile
            ?? new LatencyMeter().Calibrate(
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

    /// <summary>Whether the last full window of runs missed the limit.</summary>
    public bool MissesLimit => Volatile.Read(ref _missesLimit);

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
    public GovernorLog Log
    {
        get
        {
            lock (_governing)
            {
                return new GovernorLog(
                    _options.Governor ?? new GovernorRules(), _ladder, _home, _level.MaxLatency?.TotalMicroseconds ?? 0, _level.Percentile, _log.ToArray());
            }
        }
    }

    /// <summary>Buffers in managed memory for one run at a time.</summary>
    public RunBuffers CreateBuffers()
    {
        var arrays = new Dictionary<string, Array>(StringComparer.Ordinal);
        var inputs = _family.Manifest.Inputs.Zip(_inputShapes, Create).ToArray();
        var outputs = _family.Manifest.Outputs.Zip(_outputShapes, Create).ToArray();
        return new RunBuffers(this, TakeIndex(), inputs, outputs, arrays, ownsValues: true);

        OrtValue Create(TensorSignature signature, int[] shape)
        {
            var (value, numbers) = PinnedTensor.Create(signature, shape);
            arrays.Add(signature.Name, numbers);
            return value;
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
        return new RunBuffers(this, TakeIndex(), [.. inputs], [.. outputs], [], ownsValues: false);
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
                ElasticMetrics.Failed(_family.Manifest.Name, resident.Variant.Id);
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
    /// <exception cref="ArgumentException">The family takes other inputs, or a length is not that of its shape.</exception>
    /// <exception cref="ModelException">The run fails.</exception>
    public Variant Run(ReadOnlySpan<float> input, Span<float> output)
    {
        var (takes, gives) = (_family.Manifest.Inputs, _family.Manifest.Outputs[0]);
        if (takes is not [{ Type: "float32" } only])
        {
            throw new ArgumentException($"The family takes {string.Join(" and ", takes)}, not one float32 input; use {nameof(CreateBuffers)}.", nameof(input));
        }

        CheckLength(only, _inputShapes[0], input.Length, nameof(input));
        CheckLength(gives, _outputShapes[0], output.Length, nameof(output));
        var buffers = Rent();
        try
        {
            input.CopyTo(buffers.Input<float>(only.Name));
            var variant = Run(buffers);
            buffers.Output(gives.Name).CopyTo(output);
            return variant;
        }
        finally
        {
            Return(buffers);
        }
    }

    /// <summary>Makes another variant active for the runs that begin from now on; the governor goes on from there.</summary>
    /// <param name="id">The id of a variant on the session's ladder, see <see cref="Log"/>.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    /// <exception cref="ModelException">It cannot be loaded; the active one stays.</exception>
    public void SwitchTo(string id)
    {
        var rung = _ladder.Index().FirstOrDefault(rung => rung.Item.Variant == id, (-1, default)).Index;
        if (rung < 0)
        {
            throw new ArgumentException($"This session uses {string.Join(", ", _ladder.Select(one => $"'{one.Variant}'"))}; '{id}' is none of them.", nameof(id));
        }

        lock (_governing)
        {
            Move(rung, "asked for");
            _state = _governor?.At(rung) ?? _state with { Rung = rung };
        }
    }

    /// <summary>Unloads everything, after the runs that have begun.</summary>
    public void Dispose()
    {
        _residency.Dispose();
        lock (_pooling)
        {
            while (_pool.TryPop(out var buffers))
            {
                buffers.Dispose();
            }
        }
    }

    /// <summary>Called by buffers that will not be used again.</summary>
    internal void Forget(RunBuffers buffers)
    {
        _residency.Forget(buffers.Index);
        lock (_pooling)
        {
            _freeIndices.Add(buffers.Index);
        }
    }

    void Observe(ResidentVariant resident, double microseconds)
    {
        ElasticMetrics.Ran(_family.Manifest.Name, resident.Variant.Id, microseconds);
        if (_governor is null)
        {
            return;
        }

        lock (_governing)
        {
            if (resident.Rung != _state.Rung || _residency.Settling)
            {
                _window.Clear(); // of another variant, or disturbed by our own loading: no sign of the load
            }
            else if (_window.Add(microseconds) is { } observedUs)
            {
                Govern(resident.Variant, observedUs);
            }
        }
    }

    void Govern(Variant variant, double observedUs)
    {
        var before = _state;
        var (decision, after) = _governor!.Next(before, observedUs);
        _log.Add(new GovernorEntry(
            _clock.GetElapsedTime(_opened).TotalMilliseconds, _options.Governor!.WindowRuns, observedUs, before, decision, after));
        Volatile.Write(ref _missesLimit, observedUs > _level.MaxLatency!.Value.TotalMicroseconds);
        if (_missesLimit)
        {
            ElasticMetrics.Missed(_family.Manifest.Name, variant.Id);
        }

        if (decision == GovernorDecision.Stay)
        {
            _state = after;
            return;
        }

        try
        {
            Move(after.Rung, decision == GovernorDecision.StepDown ? "the limit was missed" : "the load allows it");
            _state = after;
        }
        catch (RuntimeException)
        {
            _state = _governor.At(before.Rung); // it cannot be loaded any more; the run at hand has its answer all the same
        }
    }

    void Move(int rung, string because)
    {
        var from = Active;
        _residency.MoveTo(rung);
        _window.Clear();
        var to = Active;
        ElasticMetrics.Switched(_family.Manifest.Name, to.Id);
        Switched?.Invoke(new VariantSwitch(from, to, because));
    }

    RunBuffers Rent()
    {
        lock (_pooling)
        {
            if (_pool.TryPop(out var buffers))
            {
                return buffers;
            }
        }

        return CreateBuffers();
    }

    void Return(RunBuffers buffers)
    {
        lock (_pooling)
        {
            _pool.Push(buffers);
        }
    }

    int TakeIndex()
    {
        lock (_pooling)
        {
            if (_freeIndices.Count == 0)
            {
                return _indices++;
            }

            var free = _freeIndices.Min;
            _freeIndices.Remove(free);
            return free;
        }
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
            if (TensorShapes.TypeName(found.ElementDataType) != signature.Type || !found.Shape.SequenceEqual(shape.Select(size => (long)size)))
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
