using MaestroDeploy.Profiles;

namespace MaestroDeploy.Tests.Profiles;

[TestClass]
public sealed class PlanFileTests
{
    [TestMethod]
    public void Read_WhatWriteWrote_IsTheSame()
    {
        using var folder = new TemporaryFolder();
        var chain = Chain((1, Samples.Plan(("fc1", null), ("fc2", 8))), (0.5, Samples.Plan(("fc2", 4), ("fc1", 16))));

        ProfilesJson.Write(folder["chain.json"], chain);
        var read = ProfilesJson.Read<PlanFile>(folder["chain.json"]);

        Assert.AreEqual(ProfilesJson.ToText(chain), ProfilesJson.ToText(read));
        Assert.AreEqual(16, read.Plans[1].Plan["fc1"].Components);
        Assert.Contains("\"nested\": true", ProfilesJson.ToText(chain));
    }

    [TestMethod]
    [DataRow(8, 8, true)]
    [DataRow(8, 9, false)]
    [DataRow(null, 9, true)]
    [DataRow(8, null, false)]
    [DataRow(null, null, true)]
    public void Nested_TwoPlans_IsWhetherTheSecondGivesNoMore(int? first, int? second, bool expected) =>
        Assert.AreEqual(expected, Chain((0.5, Samples.Plan(("fc1", first))), (0.25, Samples.Plan(("fc1", second)))).Nested);

    [TestMethod]
    public void Chain_InvalidPlans_AreRefusedNamingTheValue()
    {
        var plan = Samples.Plan(("fc1", 8));

        Refused("0.5 comes after 0.25", () => Chain((0.25, plan), (0.5, plan)));
        Refused("'fc2'", () => Chain((0.5, Samples.Plan(("fc1", 8), ("fc2", 8))), (0.25, plan)));
        Refused("'fc2'", () => Chain((0.5, plan), (0.25, Samples.Plan(("fc1", 8), ("fc2", 8)))));
        Refused("must not be empty", () => Chain());
        Refused("at least one layer", () => Chain((1, Samples.Plan())));
        Refused("'flops'", () => new PlanFile(Samples.Sha, "flops", [new BudgetedPlan(1, plan)]));
        Refused("1.5", () => Chain((1.5, plan)));
    }

    [TestMethod]
    public void Chain_SeveralPlansOfABudget_AreCandidatesInTheOrderGiven()
    {
        var chain = Chain((0.5, Samples.Plan(("fc1", 8))), (0.5, Samples.Plan(("fc1", 6))), (0.25, Samples.Plan(("fc1", 4))));

        CollectionAssert.AreEqual(new[] { 0.5, 0.5, 0.25 }, chain.Plans.Select(plan => plan.Budget).ToArray());
        Assert.AreEqual(6, chain.Plans[1].Plan["fc1"].Components);
    }

    static PlanFile Chain(params (double Budget, RankPlan Plan)[] plans) =>
        new(Samples.Sha, "macs", [.. plans.Select(plan => new BudgetedPlan(plan.Budget, plan.Plan))]);

    static void Refused(string named, Func<PlanFile> make) => Assert.Contains(named, Assert.Throws<ArgumentException>(make).Message);
}
