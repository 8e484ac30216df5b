using MaestroDeploy.Runtime;
using Microsoft.ML.OnnxRuntime;

namespace MaestroDeploy.Tests.Runtime;

[TestClass]
public sealed class ModelSessionTests
{
    const int Int64 = 7; // TensorProto.DataType

    static readonly SessionSettings OneThread = new() { Threads = 1 };

    [TestMethod]
    public void Run_ABatchOfTwo_MultipliesEachRow()
    {
        using var folder = new TemporaryFolder();
        using var session = Load(folder, TinyModel.MatMul(weight: 2));

        float[] result = session.Run([1, 2, 3, 10, 20, 30], 2, 3);

        CollectionAssert.AreEqual(new float[] { 12, 12, 120, 120 }, result);
        Assert.AreEqual("x float32 [N, 3]", session.Inputs.Single().ToString());
        Assert.AreEqual("sum float32 [N, 2]", session.Outputs.Single().ToString());
    }

    [TestMethod]
    public void RunAll_TwoOutputs_GivesBothInOrder()
    {
        using var folder = new TemporaryFolder();
        using var session = Load(folder, TinyModel.MatMul(weight: -1, withRelu: true));

        var outputs = session.RunAll([1, 2, 3], 1, 3);

        CollectionAssert.AreEqual(new[] { "sum", "positive" }, outputs.Select(output => output.Name).ToArray());
        CollectionAssert.AreEqual(new[] { 1, 2 }, outputs[0].Shape);
        CollectionAssert.AreEqual(new float[] { -6, -6 }, outputs[0].Values);
        CollectionAssert.AreEqual(new float[] { 0, 0 }, outputs[1].Values);
    }

    [TestMethod]
    [DataRow(3, new[] { 3 }, "[N, 3]", DisplayName = "too few axes")]
    [DataRow(4, new[] { 1, 4 }, "[1, 4]", DisplayName = "another size")]
    [DataRow(0, new[] { 0, 3 }, "[0, 3]", DisplayName = "an empty batch")]
    [DataRow(0, new[] { -1, 3 }, "[-1, 3]", DisplayName = "a negative batch")]
    [DataRow(4, new[] { 1, 3 }, "found 4", DisplayName = "too many numbers")]
    [DataRow(3, new[] { int.MaxValue, 3 }, "found 3", DisplayName = "a product that overflows")]
    public void Run_InputThatDoesNotFit_IsRefusedNamingBoth(int length, int[] shape, string named)
    {
        using var folder = new TemporaryFolder();
        using var session = Load(folder, TinyModel.MatMul(weight: 1));

        var refused = Assert.ThrowsExactly<ArgumentException>(() => session.Run(new float[length], shape));

        Assert.Contains(named, refused.Message);
    }

    [TestMethod]
    public void InputShape_OpenOrFixedBatch_IsFilledOrRefused()
    {
        using var folder = new TemporaryFolder();
        using var open = Load(folder, TinyModel.MatMul(weight: 1));
        using var ofTwo = Load(folder, TinyModel.MatMul(weight: 1, batch: 2));

        CollectionAssert.AreEqual(new[] { 8, 3 }, open.InputShape(8));
        CollectionAssert.AreEqual(new[] { 2, 3 }, ofTwo.InputShape(2));
        Assert.Contains("batches of 2", Assert.ThrowsExactly<ModelException>(() => ofTwo.InputShape(8)).Message);
        Assert.Contains("batches of 2", Assert.ThrowsExactly<ModelException>(() => ofTwo.InputShape(1)).Message);
        Assert.Contains("1 GiB", Assert.ThrowsExactly<ModelException>(() => open.InputShape(int.MaxValue)).Message);
    }

    [TestMethod]
    public void RunAll_TwoIntegerInputsWithOpenAxes_TakesThemByNameInAnyOrder()
    {
        using var folder = new TemporaryFolder();
        using var session = Load(folder, TinyModel.Translator());

        var logits = session.RunAll(
            new InputTensor("target", [0L, 1, 2], 1, 3),
            new InputTensor("source", [1L, 3], 1, 2)).Single();

        Assert.AreEqual("source int64 [N, S]; target int64 [N, T]", string.Join("; ", session.Inputs));
        CollectionAssert.AreEqual(new[] { 1, 3, 2 }, logits.Shape);
        CollectionAssert.AreEqual(new float[] { 2, 20, 3, 30, 4, 40 }, logits.Values);
    }

    [TestMethod]
    public void RunAll_Int32AndBool_AreTaken()
    {
        using var folder = new TemporaryFolder();
        using var session = Load(folder, TinyModel.MaskedLookup());

        var found = session.RunAll(new InputTensor("index", [3, 2], 2), new InputTensor("mask", [true, false], 2, 1)).Single();

        CollectionAssert.AreEqual(new float[] { 3, -1 }, found.Values);
    }

    [TestMethod]
    public void RunAll_AnOutputThatIsNotOfFloats_IsNotAskedFor()
    {
        using var session = new ModelSession("a graph without a file", TinyModel.IndexBesideItsRow(), OneThread);

        var outputs = session.RunAll(new InputTensor("index", [3L, 1], 2));

        Assert.AreEqual("y", session.Outputs.Single().Name);
        CollectionAssert.AreEqual(new float[] { 3, 1 }, outputs.Single().Values);
    }

    [TestMethod]
    [DataRow(1, "float32", 4)]
    [DataRow(11, "float64", 8)]
    [DataRow(10, "float16", 2)]
    [DataRow(Int64, "int64", 8)]
    [DataRow(6, "int32", 4)]
    [DataRow(5, "int16", 2)]
    [DataRow(3, "int8", 1)]
    [DataRow(13, "uint64", 8)]
    [DataRow(12, "uint32", 4)]
    [DataRow(4, "uint16", 2)]
    [DataRow(2, "uint8", 1)]
    [DataRow(9, "bool", 1)]
    public void RunTyped_AnyType_GivesItBackToTheBit(int elementType, string type, int size)
    {
        using var session = new ModelSession("a graph without a file", TinyModel.Same(elementType), OneThread);
        byte[] bytes = [.. Enumerable.Repeat<byte>(1, size), .. new byte[size]];

        var same = session.RunTyped(InputTensor.FromBytes("x", type, bytes, 2)).Single();

        Assert.AreEqual((type, "same"), (same.Type, same.Name));
        CollectionAssert.AreEqual(new[] { 2 }, same.Shape);
        CollectionAssert.AreEqual(bytes, same.Bytes);
        Assert.AreEqual(2, same.ToArray().Length);
    }

    [TestMethod]
    public void RunTyped_OutputsOfSeveralTypes_GivesAllInOrder()
    {
        using var session = new ModelSession("a graph without a file", TinyModel.IndexBesideItsRow(), OneThread);

        var outputs = session.RunTyped(new InputTensor("index", [3L, 1], 2));

        Assert.AreEqual("same int64, y float32", string.Join(", ", outputs.Select(output => $"{output.Name} {output.Type}")));
        CollectionAssert.AreEqual(new long[] { 3, 1 }, outputs[0].ToArray());
        CollectionAssert.AreEqual(new float[] { 3, 1 }, outputs[1].ToArray());
    }

    [TestMethod]
    [DataRow(Int64, "int64")]
    [DataRow(11, "float64")]
    [DataRow(2, "uint8")]
    [DataRow(9, "bool")]
    public void RunAll_AGraphWithoutFloatOutputs_GivesItsNumbersAsFloats(int elementType, string type)
    {
        using var session = new ModelSession("a graph without a file", TinyModel.Same(elementType), OneThread);

        var outputs = session.RunAll(InputTensor.FromFloats("x", type, [1, 0], 2));

        Assert.AreEqual((type, "same"), (session.Outputs.Single().Type, outputs.Single().Name));
        CollectionAssert.AreEqual(new float[] { 1, 0 }, outputs.Single().Values);
    }

    [TestMethod]
    [DataRow(11, "float64", 2.5)]
    [DataRow(10, "float16", 2.5)]
    [DataRow(Int64, "int64", 2.0)]
    [DataRow(3, "int8", 2.0)]
    [DataRow(2, "uint8", 2.0)]
    [DataRow(9, "bool", 1.0)]
    public void FromFloats_AnyType_IsTheNumberInThatType(int elementType, string type, double expected)
    {
        using var session = new ModelSession("a graph without a file", TinyModel.Same(elementType), OneThread);

        var same = session.RunTyped(InputTensor.FromFloats("x", type, [2.5f, 0], 2)).Single().ToArray();

        Assert.AreEqual(expected, Convert.ToDouble(same.GetValue(0)));
        Assert.AreEqual(0.0, Convert.ToDouble(same.GetValue(1)));
    }

    [TestMethod]
    public void FromBytes_WhatIsNoNumberOfThatType_IsRefused()
    {
        Assert.Contains("none of float32", Refusal(() => InputTensor.FromBytes("x", "complex64", new byte[8], 1)));
        Assert.Contains("7 bytes", Refusal(() => InputTensor.FromBytes("x", "int64", new byte[7], 1)));
        Assert.Contains("holds 2 numbers; found 1", Refusal(() => InputTensor.FromBytes("x", "int64", new byte[8], 2)));
    }

    [TestMethod]
    public void RunAll_InputsThatAreNotTheGraphs_AreRefusedByName()
    {
        using var folder = new TemporaryFolder();
        using var session = Load(folder, TinyModel.Translator());
        var source = new InputTensor("source", [1L], 1, 1);

        Assert.Contains("target int64 [N, T], which is not given", Refusal(() => session.RunAll(source)));
        Assert.Contains("no input 'mask'", Refusal(() => session.RunAll(source, new InputTensor("mask", [true], 1, 1))));
        Assert.Contains("given twice", Refusal(() => session.RunAll(source, source)));
        Assert.Contains("found float32", Refusal(() => session.RunAll(source, new InputTensor("target", [1f], 1, 1))));
        Assert.Contains("found shape [1]", Refusal(() => session.RunAll(source, new InputTensor("target", [1L], 1))));
        Assert.Contains("give each input by its name", Assert.ThrowsExactly<ModelException>(() => session.Run([1f], 1, 1)).Message);
        Assert.Contains("give each input by its name", Assert.ThrowsExactly<ModelException>(() => session.InputShape(1)).Message);
    }

    [TestMethod]
    public void RunAll_IndexOutsideTheTable_FailsInWords()
    {
        using var folder = new TemporaryFolder();
        using var session = Load(folder, TinyModel.Translator());

        var failed = Assert.ThrowsExactly<ModelException>(
            () => session.RunAll(new InputTensor("source", [99L], 1, 1), new InputTensor("target", [0L], 1, 1)));

        Assert.Contains("idx=99", failed.Message);
    }

    [TestMethod]
    [DataRow(3, new[] { 2, 2 }, "holds 4 numbers; found 3")]
    [DataRow(0, new[] { 0, 2 }, "size of 1 or more")]
    [DataRow(2, new[] { int.MaxValue, int.MaxValue, 2 }, "found 2", DisplayName = "a product that overflows")]
    public void InputTensor_ValuesThatDoNotFillIt_IsRefused(int length, int[] shape, string named) =>
        Assert.Contains(named, Refusal(() => _ = new InputTensor("x", new long[length], shape)));

    [TestMethod]
    public void Prepared_OpenAxes_AreFilledWithValidInputs()
    {
        using var folder = new TemporaryFolder();
        using var session = Load(folder, TinyModel.Translator());
        using var prepared = new PreparedRun(session, batch: 2, openAxis: 16, seed: 1);

        prepared.Run(); // an index outside the table would fail
        prepared.Run();

        CollectionAssert.AreEqual(new[] { 2, 16 }, session.InputShapes(batch: 2, openAxis: 16)[1]);
    }

    [TestMethod]
    public void Load_NotFloats_NamesTheTensor()
    {
        using var folder = new TemporaryFolder();
        var path = folder["model.onnx"];
        File.WriteAllBytes(path, TinyModel.MatMul(weight: 1, elementType: Int64));

        Assert.Contains(path, Assert.ThrowsExactly<ModelException>(() => new ModelSession(path, OneThread)).Message);
    }

    [TestMethod]
    public void Load_CorruptGraph_NamesTheFile()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("model.onnx", "no graph at all");

        var refused = Assert.ThrowsExactly<ModelException>(() => new ModelSession(path, OneThread));

        Assert.Contains(path, refused.Message);
        Assert.IsInstanceOfType<OnnxRuntimeException>(refused.InnerException);
    }

    [TestMethod]
    public void Load_NoSuchFile_NamesIt()
    {
        var refused = Assert.ThrowsExactly<ModelException>(() => new ModelSession("nowhere.onnx", OneThread));

        Assert.Contains("nowhere.onnx", refused.Message);
    }

    [TestMethod]
    public void Load_CudaInABuildWithoutIt_SaysHowToBuildOne()
    {
        if (OrtEnv.Instance().GetAvailableProviders().Contains("CUDAExecutionProvider"))
        {
            Assert.Inconclusive("This build has CUDA.");
        }

        using var folder = new TemporaryFolder();
        var path = folder["model.onnx"];
        File.WriteAllBytes(path, TinyModel.MatMul(weight: 1));

        var refused = Assert.ThrowsExactly<DeviceException>(
            () => new ModelSession(path, new SessionSettings { Device = Device.Cuda(1) }));

        Assert.Contains("cuda:1", refused.Message);
        Assert.Contains("CPUExecutionProvider", refused.Message);
        Assert.Contains("-p:Accelerator=cuda", refused.Message);
    }

    [TestMethod]
    public void Identity_OurOwnBytes_LoadAndRun()
    {
        using var session = ModelSession.Identity(OneThread);

        CollectionAssert.AreEqual(new float[] { 42 }, session.Run([42], 1));
    }

    [TestMethod]
    public void Bound_RunAgain_ReadsTheInputAnewAndAllocatesNothing()
    {
        using var folder = new TemporaryFolder();
        using var session = Load(folder, TinyModel.MatMul(weight: 1));
        float[] input = [1, 2, 3], output = new float[2];
        using var from = session.InputValues(new InputTensor("x", input, 1, 3))[0];
        using var to = OrtValue.CreateTensorValueFromMemory(output, [1, 2]);
        using var bound = new BoundRun(session, [from], [to]);

        bound.Run();
        input[0] = 100;
        var before = GC.GetAllocatedBytesForCurrentThread();
        bound.Run();

        Assert.AreEqual(0, GC.GetAllocatedBytesForCurrentThread() - before);
        CollectionAssert.AreEqual(new float[] { 105, 105 }, output);
    }

    static string Refusal(Action act) => Assert.ThrowsExactly<ArgumentException>(act).Message;

    static ModelSession Load(TemporaryFolder folder, byte[] model)
    {
        var path = folder[Path.GetRandomFileName()];
        File.WriteAllBytes(path, model);
        return new ModelSession(path, OneThread);
    }
}
