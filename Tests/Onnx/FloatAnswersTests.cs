using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;
using MaestroDeploy.Onnx.Protos;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;

namespace MaestroDeploy.Tests.Onnx;

[TestClass]
public sealed class FloatAnswersTests
{
    [TestMethod]
    public void Of_AGraphThatGivesFloats_IsItsOutputs()
    {
        var model = Model(g => g.Relu(g.Linear(g.Input("x", 4), "layer", 3)), DataType.Float);

        CollectionAssert.AreEqual(new[] { model.Graph.Output[0].Name }, FloatAnswers.Of(model).ToArray());
        Assert.AreSame(model, FloatAnswers.Given(model));
    }

    [TestMethod]
    [DataRow(null, true)]
    [DataRow("Identity", true)]
    [DataRow("Cast", true)]
    [DataRow("Relu", false)]
    public void BeforeSoftmax_WhatFollowsIt_IsSeenThroughWhereItPassesNumbersOn(string? then, bool expected)
    {
        var g = new GraphBuilder("softmax", seed: 1);
        var logits = g.Linear(g.Input("x", 4), "layer", 3);
        var last = g.Softmax(logits);
        var model = g.Build(then is null ? last : g.Node(then, [last], node => _ = then == "Cast" ? node.With("to", (long)DataType.Float) : node));

        Assert.AreEqual(expected ? logits.Name : null, FloatAnswers.BeforeSoftmax(model));
    }

    [TestMethod]
    public void Of_AClassBesideItsScores_IsTheScoresAlone()
    {
        var model = ClassesOnly.Of(SmallModels.Mlp.Model);
        model.Graph.Output.Add(SmallModels.Mlp.Model.Graph.Output[0]);

        CollectionAssert.AreEqual(new[] { model.Graph.Output[1].Name }, FloatAnswers.Of(model).ToArray());
        Assert.AreSame(model, FloatAnswers.Given(model));
        Assert.IsTrue(FloatAnswers.AreScores(model));
    }

    [TestMethod]
    [DataRow("ArgMax", true)]
    [DataRow("ArgMin", false)]
    public void AreScores_BehindTheNumberOfAClass_IsToldByWhichIsTaken(string operation, bool expected)
    {
        var model = Model(g => Whole(g, g.Node("Squeeze", [g.Node(operation, [g.Linear(g.Input("x", 4), "layer", 3)])])), DataType.Int32);

        Assert.AreEqual(expected, FloatAnswers.AreScores(model));
    }

    [TestMethod]
    public void AreScores_BehindANameLookedUpByTheClass_IsFalse()
    {
        var model = Model(g => g.Node("Gather", [g.Constant(7, 5, 3), g.Node("ArgMax", [g.Linear(g.Input("x", 4), "layer", 3)])]), DataType.Int64);

        Assert.IsFalse(FloatAnswers.AreScores(model));
    }

    [TestMethod]
    public void Of_AClassBehindASumThatBeginsWithAConstant_IsTheSum()
    {
        var model = Model(g => g.Node("ArgMax", [g.Node("Sub", [g.Constant("one", [1], [1f]), g.Linear(g.Input("x", 4), "layer", 3)])]), DataType.Int64);

        Assert.AreEqual("Sub", Producer(model, FloatAnswers.Of(model).Single()).OpType);
    }

    [TestMethod]
    public void Of_TheClassOfTheLargestProbability_IsTheProbabilities()
    {
        var model = Model(g => Whole(g, g.Node("ArgMax", [g.Node("Softmax", [g.Linear(g.Input("x", 4), "layer", 3)])])), DataType.Int32);

        Assert.AreEqual("Softmax", Producer(model, FloatAnswers.Of(model).Single()).OpType);
    }

    [TestMethod]
    public void Of_AMaskWhoseShapeIsComputedFromFloats_IsWhatIsComparedAlone()
    {
        var model = Model(
            g =>
            {
                var x = g.Input("x", 4);
                var hidden = g.Linear(x, "hidden", 6);
                var mask = g.Node("Greater", [g.Linear(hidden, "last", 4), g.Constant("threshold", [1], [0.5f])]);
                return g.Node("Not", [g.Node("Reshape", [mask, g.Node("Shape", [x])])]);
            },
            DataType.Bool);

        Assert.AreEqual("Gemm", Producer(model, FloatAnswers.Of(model).Single()).OpType);
        Assert.AreEqual("last", Producer(model, FloatAnswers.Of(model).Single()).Name);
    }

    [TestMethod]
    public void Of_TwoOutputsOfOneAndAnotherFloat_NamesEachOnceInTheOutputsOrder()
    {
        var model = Model(
            g =>
            {
                var hidden = g.Linear(g.Input("x", 4), "first", 3);
                return g.Node("And", [g.Node("Less", [hidden, g.Linear(hidden, "second", 3)]), g.Node("IsNaN", [hidden])]);
            },
            DataType.Bool);

        CollectionAssert.AreEqual(new[] { "first", "second" }, FloatAnswers.Of(model).Select(answer => Producer(model, answer).Name).ToArray());
    }

    [TestMethod]
    public void Of_WholeNumbersWithoutAFloatBehindThem_IsTheOutputs()
    {
        var model = Model(g => g.Node("Add", [g.Words("words"), g.Constant(1)]), DataType.Int64);

        CollectionAssert.AreEqual(new[] { model.Graph.Output[0].Name }, FloatAnswers.Of(model).ToArray());
    }

    [TestMethod]
    public void Given_AClassifierOfClasses_AnswersAsTheOneOfScores()
    {
        var (scores, images) = (SmallModels.Mlp.Model, SmallModels.Digits.Test.Take(16).Batches(16).Single().Samples);
        var classes = ClassesOnly.Of(scores);

        var given = FloatAnswers.Given(classes);

        CollectionAssert.AreEqual(OrtRunner.Run(scores, images, 16, 1, 8, 8), OrtRunner.Run(given, images, 16, 1, 8, 8));
        Assert.AreEqual("class", classes.Graph.Output.Single().Name, "the model that it is made from stays as it was");
    }

    static Value Whole(GraphBuilder g, Value x) => g.Node("Cast", [x], node => node.With("to", (int)DataType.Int32));

    static OnnxModel Model(Func<GraphBuilder, Value> build, DataType type)
    {
        var g = new GraphBuilder("answers");
        var model = g.Build(build(g));
        model.Graph.Output[0].Type.TensorType.ElemType = (int)type;
        return model;
    }

    static NodeProto Producer(OnnxModel model, string value) => model.Graph.Node.Single(node => node.Output.Contains(value));
}
