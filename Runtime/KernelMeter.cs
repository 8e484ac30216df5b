using System.Text.Json;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime;

/// <summary>A graph to time.</summary>
/// <param name="Path">Its file.</param>
/// <param name="ByNode">Whether its nodes are timed too, in a second session beside the first.</param>
public sealed record TimedGraph(string Path, bool ByNode);

/// <summary>What a graph took.</summary>
/// <param name="WholeUs">Median of a run, in microseconds.</param>
/// <param name="Kernels">What each node took, in the order in which they ran; empty where not asked for.</param>
public sealed record GraphTimes(double WholeUs, IReadOnlyList<KernelTime> Kernels);

/// <summary>What one node of an optimised graph took.</summary>
/// <param name="Node">Its name after ONNX Runtime's fusions: that of a node or of a value of the graph, with what was added to it.</param>
/// <param name="Us">Mean of the middle half of its runs, in microseconds; the timer itself is in it.</param>
/// <param name="Operator">The operator that ran, such as <c>Conv</c>, <c>FusedMatMul</c> or <c>ReorderOutput</c>.</param>
public sealed record KernelTime(string Node, double Us, string Operator = "");

/// <summary>Times the nodes of several graphs by ONNX Runtime's own profile, and the graphs as wholes beside, in shuffled turns.</summary>
/// <param name="clock">The clock; null for the system's.</param>
public sealed class KernelMeter(TimeProvider? clock = null)
{
    const int WarmUpRuns = 10; // of a session whose nodes are timed; each is an entry in its file
    const int Together = 12; // graphs that take turns
    const string Suffix = "_kernel_time";

    readonly MeasureProtocol _protocol = MeasureProtocol.Of(MeasureMode.Quick, clock ?? TimeProvider.System);

    /// <summary>Times some graphs.</summary>
    /// <param name="graphs">The graphs.</param>
    /// <param name="settings">How they are run.</param>
    /// <param name="options">At what batch; the mode says nothing here.</param>
    /// <param name="scratch">A folder for files that do not stay.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellation">Stops it between two runs.</param>
    /// <returns>The times, and how often each graph had its turn.</returns>
    /// <exception cref="DeviceException">The device is not to be had.</exception>
    /// <exception cref="ModelException">A graph cannot be loaded or run, or does not take that batch.</exception>
    public (IReadOnlyList<GraphTimes> Times, int Rounds) Measure(
        IReadOnlyList<TimedGraph> graphs, SessionSettings settings, MeasureOptions options, string scratch, IProgress<MeasureProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        // All at once would have every model in memory twice.
        var groups = graphs.Chunk(Together).Select(group => MeasureGroup(group, settings, options, scratch, progress, cancellation)).ToArray();
        return ([.. groups.SelectMany(group => group.Times)], groups.Sum(group => group.Rounds));
    }

    (IReadOnlyList<GraphTimes> Times, int Rounds) MeasureGroup(
        TimedGraph[] graphs, SessionSettings settings, MeasureOptions options, string scratch, IProgress<MeasureProgress>? progress, CancellationToken cancellation)
    {
        List<(ModelSession Session, PreparedRun Run)> loaded = [];
        try
        {
            foreach (var graph in graphs)
            {
                Add(new ModelSession(graph.Path, settings), run => _protocol.WarmUp(run, cancellation));
            }

            foreach (var (i, graph) in graphs.Index().Where(entry => entry.Item.ByNode))
            {
                Add(ModelSession.Profiled(graph.Path, settings, Path.Combine(scratch, $"kernels-{i}")), WarmUp);
            }

            var (samples, rounds) = _protocol.Sample(
                [.. loaded.Select(one => (Action)one.Run.Run)], options.Seed, share => progress?.Report(new MeasureProgress("timing layers", share)), cancellation);
            var kernels = new Queue<IReadOnlyList<KernelTime>>(loaded.Skip(graphs.Length).Select(one => Read(one.Session.EndProfiling())));
            return ([.. graphs.Select((graph, i) => new GraphTimes(Percentiles.Median(samples[i]), graph.ByNode ? kernels.Dequeue() : []))], rounds);
        }
        finally
        {
            loaded.ForEach(one => one.Run.Dispose());
            loaded.ForEach(one => one.Session.Dispose());
        }

        void Add(ModelSession session, Action<Action> warmUp)
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(new MeasureProgress("timing layers", 0));
            try
            {
                loaded.Add((session, new PreparedRun(session, options.Batch, options.OpenAxis, options.Seed)));
            }
            catch
            {
                session.Dispose();
                throw;
            }

            warmUp(loaded[^1].Run.Run);
        }
    }

    static void WarmUp(Action run)
    {
        for (var i = 0; i < WarmUpRuns; i++)
        {
            run();
        }
    }

    /// <summary>The nodes of a profile: a JSON array of events, in the order in which they began.</summary>
    static IReadOnlyList<KernelTime> Read(string file)
    {
        using var stream = File.OpenRead(file);
        using var events = JsonDocument.Parse(stream);
        var times = new OrderedDictionary<string, List<double>>();
        var operators = new Dictionary<string, string>();
        foreach (var entry in events.RootElement.EnumerateArray())
        {
            if (entry.TryGetProperty("cat", out var category) && category.ValueEquals("Node") && entry.GetProperty("name").GetString() is { } name
                && name.EndsWith(Suffix, StringComparison.Ordinal))
            {
                var node = name[..^Suffix.Length];
                if (!times.TryGetValue(node, out var durations))
                {
                    times.Add(node, durations = []);
                }

                durations.Add(entry.GetProperty("dur").GetDouble());
                operators[node] = entry.TryGetProperty("args", out var args) && args.TryGetProperty("op_name", out var op) ? op.GetString() ?? "" : "";
            }
        }

        return [.. times.Select(node => new KernelTime(node.Key, Middle(node.Value.Skip(Math.Min(WarmUpRuns, node.Value.Count / 2))), operators[node.Key]))];
    }

    // Whole microseconds are all that a profile tells; their mean tells more, without the quarters that something else disturbed.
    static double Middle(IEnumerable<double> durations)
    {
        var sorted = durations.Order().ToArray();
        return sorted[(sorted.Length / 4)..Math.Max(sorted.Length / 4 + 1, sorted.Length * 3 / 4)].Average();
    }
}
