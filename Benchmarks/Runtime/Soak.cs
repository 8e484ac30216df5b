using System.Diagnostics;
using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Elastic;

namespace MaestroDeploy.Benchmarks.Runtime;

/// <summary>200,000 inferences (or as many as are asked for) from 8 threads with a switch every 1,000: every answer checked, memory and handles watched.</summary>
static class Soak
{
    const int Threads = 8, RunsPerSwitch = 1000, Questions = 16;
    const float Tolerance = 1e-4f; // prepacked and mapped weights are multiplied in different orders

    public static void Run(string[] args)
    {
        var runs = args is [var asked] ? int.Parse(asked) : 200_000;
        var family = ServedFamily.Medium();
        var settings = new SessionSettings { Threads = 1 };
        using var session = new ElasticSession(family, ServedFamily.Profile(family, settings), options: new ElasticOptions { Settings = settings });
        string[] ladder = [.. session.Log.Ladder.Select(rung => rung.Variant)];
        var random = new Random(3);
        var questions = Enumerable.Range(0, Questions).Select(_ => Enumerable.Range(0, 256).Select(_ => random.NextSingle()).ToArray()).ToArray();
        var answers = ladder.ToDictionary(id => id, id => Answers(family, id, questions, settings));
        var (done, wrong) = (0, 0);
        var start = Stopwatch.GetTimestamp();
        Console.WriteLine($"{Threads} threads, {runs} runs, a switch every {RunsPerSwitch}, among {string.Join(", ", ladder)}");
        Parallel.For(0, Threads, new ParallelOptions { MaxDegreeOfParallelism = Threads }, _ =>
        {
            var output = new float[10];
            while (Interlocked.Increment(ref done) is var run && run <= runs)
            {
                var question = run % Questions;
                var answered = session.Run(questions[question], output);
                var expected = answers[answered.Id][question];
                for (var i = 0; i < output.Length; i++)
                {
                    if (!(Math.Abs(output[i] - expected[i]) <= Tolerance))
                    {
                        Interlocked.Increment(ref wrong);
                        break;
                    }
                }

                if (run % RunsPerSwitch == 0)
                {
                    session.SwitchTo(ladder[run / RunsPerSwitch % ladder.Length]);
                }

                if (run % Math.Max(1, runs / 10) == 0)
                {
                    Console.WriteLine($"  {run,7}: {Environment.WorkingSet / 1e6:0.0} MB resident, {GC.GetTotalMemory(forceFullCollection: false) / 1e6:0.0} MB of it managed, {Handles()} handles");
                }
            }
        });
        Console.WriteLine($"{runs} answers in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s, {wrong} wrong; {session.Problem ?? "no problem"}");
    }

    static float[][] Answers(Family family, string id, float[][] questions, SessionSettings settings)
    {
        using var session = new ModelSession(family.PathOf(family.Manifest.Find(id)!), settings);
        return [.. questions.Select(question => session.Run(question, session.InputShape(1)))];
    }

    static int Handles()
    {
        using var process = Process.GetCurrentProcess();
        return process.HandleCount;
    }
}
