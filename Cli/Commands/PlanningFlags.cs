using System.CommandLine;
using System.Globalization;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Exporter;
using MaestroDeploy.Exporter.Planning;
using MaestroDeploy.Onnx.LowRank;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary>The options of the verbs that make a family: what to spend, in which unit, and how plans are found.</summary>
sealed class PlanningFlags
{
    static readonly ExportOptions Defaults = new();

    readonly Option<string[]> _budgets = new("--budgets")
    {
        Description = "Shares of the dense model's cost, such as 1,0.5,0.25; or costs: 5ms,2ms with --by latency, 4MB,800kB with --by bytes. Default: 1, a half, a quarter and so on to a thirty-second.",
        CustomParser = SharedOptions.Parse(text => text.Split(',')),
    };

    readonly Option<BudgetUnit?> _unit = new("--by") { Description = "What budgets are of; default macs.", HelpName = "macs|params|bytes|latency|ranks" };

    readonly Option<PlanSearch?> _search = new("--plan")
    {
        HelpName = "uniform|frontier|nested|greedy",
        Description = "How plans are found: uniform (one share for all layers), frontier (least probed error for the cost), "
            + "nested (a frontier of which each plan is a part of the one before), greedy (Maestro's). Default: frontier with --by latency, and for decomposed models where there is data; else uniform.",
    };

    readonly Option<int?> _variants = new("--variants") { Description = "That many variants spread evenly from the dense cost down to a thirty-second, in the place of budgets." };

    readonly Option<bool> _blocks = new("--identity-blocks")
    {
        Description = "Write linear layers as identity blocks where that costs less; their weights are not shared between variants.",
    };

    readonly Option<string?> _profile = new Option<string?>("--profile") { Description = "The layer latencies of the device that is planned for, as 'maestro profile MODEL.lod.onnx' writes them; default: measured here." }.OfFiles();
    readonly Option<string?> _plans = new Option<string?>("--plans") { Description = "A file of plans to cut to, as --save-plans writes it, in the place of budgets." }.OfFiles();
    readonly Option<string?> _savePlans = new("--save-plans") { Description = "Write the plans to a file, for 'train --plans' and 'export --plans'." };
    readonly Option<double?> _minAccuracy = SharedOptions.MinAccuracy("The lowest accuracy of a variant, 0 to 1; the cheapest plan that reaches it is looked for and added.");
    readonly Option<Device> _device = SharedOptions.OnDevice();
    readonly Option<int> _threads = SharedOptions.Threads();
    readonly MeasureFlags _measure = new();

    /// <summary>Adds the options to a verb.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _budgets, _unit, _search, _variants, _minAccuracy, _blocks, _profile, _plans, _savePlans, _device, _threads }.Concat(_measure.Options))
        {
            command.Options.Add(option);
        }
    }

    /// <summary>What the command line asks for, the layer latencies of a plan by latency included.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="family">The folder that the family is to become.</param>
    /// <param name="source">The model, whose layers are measured where no table of them is given or kept.</param>
    /// <param name="terminal">Told of a measurement.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="UsageException">Options that contradict each other, or a value out of its range.</exception>
    public ExportOptions Read(ParseResult parsed, string family, string source, Terminal terminal, CancellationToken cancellation) =>
        Asked(parsed, family, source) is var asked && asked.Unit == BudgetUnit.Latency && (asked.Plans is null || parsed.GetValue(_profile) is not null)
            ? asked with { Latencies = Latencies(parsed, source, terminal, cancellation) }
            : asked;

    /// <summary>What the command line asks for, but for latencies: nothing is measured.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="family">The folder that the family is to become.</param>
    /// <param name="source">The model.</param>
    /// <exception cref="UsageException">Options that contradict each other, or a value out of its range.</exception>
    public ExportOptions Asked(ParseResult parsed, string family, string source)
    {
        _ = Settings(parsed);
        OutputPaths.CheckFileBeside(_savePlans.Name, parsed.GetValue(_savePlans), family, source, parsed.GetValue(_profile));
        var asked = Defaults with { MinAccuracy = parsed.GetValue(_minAccuracy), IdentityBlocks = parsed.GetValue(_blocks) };
        return parsed.GetValue(_plans) is { } file ? WithPlans(parsed, asked, file) : WithBudgets(parsed, asked);
    }

    ExportOptions WithPlans(ParseResult parsed, ExportOptions asked, string file)
    {
        if (Budgets(parsed) is not null || parsed.GetValue(_variants) is not null || parsed.GetValue(_search) is not null || parsed.GetValue(_unit) is not null)
        {
            throw new UsageException("--plans says what is cut to; leave --budgets, --variants, --plan and --by out.");
        }

        var made = ProfilesJson.Read<PlanFile>(file);
        CheckTimed(parsed, made.Cost.Equals(nameof(BudgetUnit.Latency), StringComparison.OrdinalIgnoreCase) && parsed.GetValue(_profile) is not null);
        return asked with { Plans = made, Budgets = [.. made.Plans.Select(plan => new Budget(plan.Budget)).Distinct()], Unit = Enum.Parse<BudgetUnit>(made.Cost, ignoreCase: true) };
    }

    ExportOptions WithBudgets(ParseResult parsed, ExportOptions asked)
    {
        Check(parsed);
        CheckTimed(parsed, UnitOf(parsed) == BudgetUnit.Latency);
        var (shares, limits) = Costs(Budgets(parsed), UnitOf(parsed));
        return asked with
        {
            Budgets = shares ?? Defaults.Budgets,
            Limits = limits,
            Unit = UnitOf(parsed),
            Search = parsed.GetValue(_search),
            Variants = parsed.GetValue(_variants),
        };
    }

    /// <summary>Makes sure that the options of budgets go together.</summary>
    void Check(ParseResult parsed)
    {
        var (unit, search, variants) = (UnitOf(parsed), parsed.GetValue(_search), parsed.GetValue(_variants));
        var wrong =
            Budgets(parsed) is not null && variants is not null ? "--budgets and --variants both say how many variants there are; give one of them."
            : variants is < 1 ? $"--variants: a family has 1 variant or more; found {variants}."
            : unit == BudgetUnit.Ranks && (search is not (null or PlanSearch.Uniform) || variants is not null)
                ? "--by ranks gives every layer the same share of its rank: that is --plan uniform, with budgets."
            : null;
        if (wrong is not null)
        {
            throw new UsageException(wrong);
        }
    }

    /// <summary>Makes sure that nothing is asked of layers' latencies where none are looked at.</summary>
    void CheckTimed(ParseResult parsed, bool areLatencies)
    {
        Option[] timing = areLatencies ? [] : [_profile, .. _measure.Options];
        if (timing.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } idle)
        {
            throw new UsageException($"{idle.Name} is of the latencies that --by latency plans with, and nothing is planned by latency here; leave it out.");
        }
    }

    BudgetUnit UnitOf(ParseResult parsed) => parsed.GetValue(_unit) ?? Defaults.Unit;

    string[]? Budgets(ParseResult parsed) => parsed.GetValue(_budgets) is { Length: > 0 } given ? given : null;

    /// <summary>How graphs are run while a family is made.</summary>
    /// <exception cref="UsageException">The number of threads is out of its range.</exception>
    public SessionSettings Settings(ParseResult parsed) => SharedOptions.Settings(parsed.GetValue(_device), parsed.GetValue(_threads));

    /// <summary>Writes the plans that a family came to, where the command line asks for it.</summary>
    public void Save(ParseResult parsed, FamilyManifest manifest, ExportOptions options, Terminal terminal)
    {
        if (parsed.GetValue(_savePlans) is { } file)
        {
            var plans = new FamilyExporter(options).PlansOf(manifest);
            ProfilesJson.Write(file, plans);
            terminal.Say($"{file}: {plans.Plans.Count} plans, {(plans.Nested ? "each a part of the one before it" : "not nested")}.");
        }
    }

    LayerLatencies Latencies(ParseResult parsed, string source, Terminal terminal, CancellationToken cancellation)
    {
        if (parsed.GetValue(_profile) is { } file)
        {
            return ProfilesJson.Read<LayerLatencies>(file);
        }

        var settings = Settings(parsed);
        return LayerProfiling.Get(LodModel.Load(source), source, settings, _measure.Read(parsed), anew: false, terminal, cancellation);
    }

    // Shares or costs, not both: what is asked for is told as a share of the dense model.
    static (Budget[]? Shares, double[] Limits) Costs(string[]? texts, BudgetUnit unit)
    {
        if (texts is null)
        {
            return (null, []);
        }

        Func<string, double>? parse = unit switch
        {
            BudgetUnit.Latency => text => Cost(SharedOptions.Latency, text).TotalMicroseconds,
            BudgetUnit.Bytes => text => Cost(SharedOptions.Bytes, text),
            _ => null,
        };
        return parse is not null && !texts.Any(IsBare) ? (null, [.. texts.Select(parse)]) : ([.. texts.Select(Share)], []);
    }

    static T Cost<T>(Func<string, T> parse, string text)
    {
        try
        {
            return parse(text);
        }
        catch (FormatException e)
        {
            throw new UsageException($"--budgets: {e.Message}");
        }
    }

    static bool IsBare(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    static Budget Share(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var share) && share is > 0 and <= 1
        ? new Budget(share)
        : throw new UsageException($"--budgets: a budget is a share in (0, 1] of the dense cost; found '{text}'. Costs are all of one unit: 5ms,2ms with --by latency, 4MB with --by bytes.");
}
