using MaestroDeploy.Profiles;

namespace MaestroDeploy.Exporter.Planning;

/// <summary>Looks for the cheapest plan whose graph still reaches an accuracy, by bisection between one that does and one that does not.</summary>
/// <remarks>
/// Accuracy is taken to fall with cost. It does not quite, so that a cheaper plan which reaches the accuracy may be missed; what is found
/// was measured, and reaches it.
/// </remarks>
/// <param name="floor">The accuracy, in 0..1.</param>
/// <param name="accuracyOf">Cuts a plan and measures it.</param>
/// <param name="planFor">The plan that a share of the dense cost buys, given one of a smaller share; the cheapest there is where none keeps the share.</param>
/// <param name="shareOf">What a plan costs, as a share of the dense cost.</param>
sealed class AccuracySearch(
    double floor, Func<PlannedVariant, double?> accuracyOf, Func<double, PlannedVariant?, PlannedVariant> planFor, Func<PlannedVariant, double> shareOf)
{
    // Costs that lie nearer than a hundredth of themselves are one: no test set tells the accuracies apart.
    const double Same = 1.01;

    const double Steps = 1 / Planner.LeastAsked;

    /// <summary>Of some plans those that reach the accuracy, and the cheapest that is found beside them, which is marked.</summary>
    /// <param name="asked">The plans that are asked for.</param>
    /// <param name="dense">The plan that leaves every layer dense: where none of them reaches the accuracy, it is sought from here on.</param>
    /// <returns>The plans, the largest first; at least one.</returns>
    /// <exception cref="ExportException">Not even the dense plan reaches it.</exception>
    public IReadOnlyList<PlannedVariant> Reaching(IReadOnlyList<PlannedVariant> asked, PlannedVariant dense)
    {
        var kept = asked.Where(Reaches).ToList();
        var start = kept.MinBy(shareOf) ?? (Reaches(dense) ? dense : throw NoneReaches([.. asked, dense]));
        var below = asked.Except(kept).Where(plan => shareOf(plan) < shareOf(start)).MaxBy(shareOf);
        var found = Cheapest(start, below);
        while (kept.Any(plan => plan != found && plan.Budget == found.Budget))
        {
            found = found with { Budget = new Budget(found.Budget.Share * (1 - 1 / Steps)) }; // given plans may be named after another unit
        }

        return [.. kept.Where(plan => plan != found).Append(found with { AccuracyFloor = floor }).OrderByDescending(plan => plan.Cost.Macs)];
    }

    bool Reaches(PlannedVariant plan) => accuracyOf(plan) >= floor;

    PlannedVariant Cheapest(PlannedVariant reaches, PlannedVariant? fails)
    {
        if (fails is null)
        {
            fails = For(Planner.LeastAsked, null);
            if (shareOf(fails) >= shareOf(reaches) || Reaches(fails))
            {
                return shareOf(fails) < shareOf(reaches) ? fails : reaches;
            }
        }

        var (most, least) = (shareOf(reaches), Math.Max(Planner.LeastAsked, shareOf(fails)));
        while (most > Same * least)
        {
            var middle = Math.Sqrt(most * least);
            var plan = For(middle, fails);
            if (plan.Plan.Equals(fails.Plan) || shareOf(plan) >= most)
            {
                least = middle; // there is no plan between
            }
            else if (Reaches(plan))
            {
                (reaches, most) = (plan, shareOf(plan));
            }
            else
            {
                (fails, least) = (plan, middle);
            }
        }

        return reaches;
    }

    /// <summary>The plan for a share, named after what it costs.</summary>
    PlannedVariant For(double share, PlannedVariant? smaller)
    {
        var plan = planFor(share, smaller);
        return plan with { Budget = new Budget(Math.Min(1, Math.Ceiling(Math.Round(Steps * shareOf(plan), 6)) / Steps)) };
    }

    ExportException NoneReaches(IEnumerable<PlannedVariant> tried) => new(FormattableString.Invariant(
        $"No variant reaches an accuracy of {floor}; the best has {tried.Max(accuracyOf)}. Lower the floor, or train the model further."));
}
