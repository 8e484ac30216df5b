using MaestroDeploy.Compressor.Training.Tasks;
using MaestroDeploy.Onnx.LowRank;

namespace MaestroDeploy.Compressor.Training;

/// <summary>Of several plans for one budget finds the one that trains best: each learns for a while, alone, from the same start and on the same samples.</summary>
/// <remarks>
/// What a plan loses before training says little of what it loses after. Trained together, with one set of components, plans that begin far
/// from the model stay behind those that begin near it, also where they would overtake them in a run of their own.
/// </remarks>
/// <param name="start">The model that every plan is tried on; it is not changed.</param>
/// <param name="task">What it learns.</param>
/// <param name="held">What plans are judged by.</param>
/// <param name="options">The run that is to follow.</param>
/// <param name="clock">The clock behind the progress.</param>
sealed class PlanTrial(LodModel start, TrainingTask task, TrainingTask held, TrainingOptions options, TimeProvider clock)
{
    // All trials together take a quarter as many steps as the run: the fewer plans, the longer each is tried.
    const double Share = 0.25;

    /// <summary>Tries every plan of a budget that has several.</summary>
    /// <param name="progress">Told after each step; null for no one.</param>
    /// <param name="cancellation">Checked before each step.</param>
    /// <returns>How a run begins that trains the best plan of each budget.</returns>
    public RunState Run(IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        var budgets = options.Plans!.Index().GroupBy(plan => plan.Item.Budget).ToList();
        var tried = budgets.Where(budget => budget.Count() > 1).SelectMany(budget => budget).ToList();
        var (losses, macs, started) = (new Dictionary<int, double>(), 0.0, clock.GetTimestamp());
        foreach (var (index, plan) in tried)
        {
            using var run = new TrainingRun(start, task, options with { Plans = [plan], FullPass = false }, new RunState(), Share / tried.Count);
            losses[index] = Try(run, (step, loss) => progress?.Report(At(losses.Count, step, loss, run)), cancellation);
            macs += run.State.TrainingMacs;
        }

        return new RunState { Kept = [.. budgets.Select(budget => budget.MinBy(plan => losses.GetValueOrDefault(plan.Index)).Index)], TrainingMacs = macs };

        TrainingProgress At(int done, int step, double loss, TrainingRun run)
        {
            var (elapsed, taken) = (clock.GetElapsedTime(started), done * run.Length + step);
            var left = tried.Count * run.Length - taken + (long)run.StepsAnEpoch * options.Epochs;
            return new TrainingProgress(0, options.Epochs, step, (int)run.Length, loss, (double)taken / run.StepsAnEpoch * run.SamplesAnEpoch / elapsed.TotalSeconds, elapsed * ((double)left / taken))
            {
                Trial = (done + 1, tried.Count),
            };
        }
    }

    /// <summary>The held-out loss of a run's plan when it has been trained, or as it was where that is lower; infinite where it was no number to begin with.</summary>
    double Try(TrainingRun run, Action<int, double> onStep, CancellationToken cancellation)
    {
        var before = double.PositiveInfinity;
        try
        {
            before = run.Validate(held, cancellation).Loss;
            run.TrainToTheEnd(onStep, cancellation);
            return Math.Min(before, run.Validate(held, cancellation).Loss);
        }
        catch (TrainingDivergedException)
        {
            return before; // the run itself will tell, if its plans diverge too
        }
    }
}
