// device FAMILY [LIMIT_MS]: opens a family for a latency, runs it a thousand times, and tells what became of it.
using System.Globalization;
using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Elastic;

if (args is not [var folder, .. var rest])
{
    Console.Error.WriteLine("device FAMILY [LIMIT_MS]");
    return 2;
}

try
{
    var level = rest is [var limit, ..]
        ? new ServiceLevel { MaxLatency = TimeSpan.FromMilliseconds(double.Parse(limit, CultureInfo.InvariantCulture)) }
        : new ServiceLevel();
    using var session = ElasticSession.Open(folder, level);
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
catch (RuntimeException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
