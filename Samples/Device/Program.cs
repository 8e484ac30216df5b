// device FAMILY [LIMIT_MS]: opens a family for a latency, runs it a thousand times, and tells what became of it.
using System.Globalization;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Elastic;

var limit = double.NaN;
if (args is not ([_] or [_, _]) || args is [_, var text] && (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out limit) || limit is not (>= 0.001 and <= 1e6)))
{
    Console.Error.WriteLine("device FAMILY [LIMIT_MS], a number of milliseconds from 0.001 to 1000000");
    return 2;
}

try
{
    var level = double.IsNaN(limit) ? new ServiceLevel() : new ServiceLevel { MaxLatency = TimeSpan.FromMilliseconds(limit) };
    using var session = ElasticSession.Open(args[0], level);
    Console.WriteLine(session.Selection.Reason);

    using var buffers = session.CreateBuffers(); // inputs of zeros; a real program writes its own
    for (var run = 0; run < 1000; run++)
    {
        session.Run(buffers);
    }

    Console.WriteLine($"1000 runs; the active variant is '{session.Active.Id}'.");
    foreach (var entry in session.Log.Entries.Where(entry => entry.Decision != GovernorDecision.Stay))
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"at {entry.AtMs:0} ms: {entry.ObservedUs:0} µs observed, {entry.Decision}"));
    }

    return 0;
}
catch (Exception e) when (e is RuntimeException or ProfileFormatException or IOException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
