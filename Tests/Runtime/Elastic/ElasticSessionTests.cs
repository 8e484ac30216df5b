using MaestroDeploy.Runtime;
using MaestroDeploy.Runtime.Elastic;
using Microsoft.ML.OnnxRuntime;

namespace MaestroDeploy.Tests.Runtime.Elastic;

[TestClass]
public sealed class ElasticSessionTests
{
    static readonly SessionSettings Settings = new() { Threads = 1, Spinning = false };
    static readonly ElasticOptions Options = new() { Settings = Settings };
    static readonly ServiceLevel FiveMs = new() { MaxLatency = TimeSpan.FromMilliseconds(5) };

    [TestMethod]
    public void Open_ALimit_RunsTheSelectedVariant()
    {
        using var tiny = new TinyFamily();
        using var session = new ElasticSession(tiny.Open(), tiny.Profile(9000, 1000), FiveMs, Options);
        var output = new float[2];

        var answered = session.Run([1, 2, 3], output);

        Assert.AreEqual("small", answered.Id);
        CollectionAssert.AreEqual(new float[] { 12, 12 }, output);
        Assert.AreEqual("small", session.Active.Id);
        Assert.IsTrue(session.Selection.Fits);
        Assert.Contains("It was measured with", session.StaleBecause!); // on the device of the samples
    }

    [TestMethod]
    public void Open_AFolderThatWasNeverMeasured_Calibrates()
    {
        using var tiny = new TinyFamily();
        var told = "";
        using var session = ElasticSession.Open(tiny.Path, new ServiceLevel { MaxLatency = TimeSpan.FromSeconds(10) }, Options, why => told = why);

        Assert.AreEqual("large", session.Active.Id);
        Assert.Contains("has not been measured here", told);
        Assert.IsNull(session.StaleBecause);
    }

    [TestMethod]
    public void Open_StoppedBeforeItHasCalibrated_Stops()
    {
        using var tiny = new TinyFamily();

        Assert.ThrowsExactly<OperationCanceledException>(() => ElasticSession.Open(tiny.Path, options: Options, cancellation: new CancellationToken(canceled: true)));
    }

    [TestMethod]
    public void Open_AnotherFamilysProfile_IsRefused()
    {
        using var tiny = new TinyFamily();

        Assert.Contains("another family", Assert.ThrowsExactly<FamilyException>(
            () => new ElasticSession(tiny.Open(), tiny.Profile(1, 1) with { FamilySha256 = Samples }, FiveMs, Options)).Message);
    }

    [TestMethod]
    public void Run_WithBuffersOrSpans_AllocatesNothingOnceWarm()
    {
        using var tiny = new TinyFamily();
        using var session = new ElasticSession(tiny.Open(), tiny.Profile(3000, 1000), FiveMs, Options);
        using var buffers = session.CreateBuffers();
        float[] input = [1, 2, 3], output = new float[2];
        RunBoth(session, buffers, input, output, runs: 200); // more than a window

        var before = GC.GetAllocatedBytesForCurrentThread();
        RunBoth(session, buffers, input, output, runs: 200);

        Assert.AreEqual(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [TestMethod]
    public void Run_TheCallersTensors_AreReadAndWrittenInPlace()
    {
        using var tiny = new TinyFamily();
        using var session = new ElasticSession(tiny.Open(), tiny.Profile(3000, 1000), FiveMs, Options with { Batch = 2 });
        float[] input = [1, 2, 3, 10, 20, 30], output = new float[4];
        using var x = OrtValue.CreateTensorValueFromMemory(input, [2, 3]);
        using var sum = OrtValue.CreateTensorValueFromMemory(output, [2, 2]);
        using var buffers = session.Bind([x], [sum]);

        session.Run(buffers);

        CollectionAssert.AreEqual(new float[] { 6, 6, 60, 60 }, output);
        Assert.Contains("[2, 2] was expected", Assert.ThrowsExactly<ArgumentException>(() => session.Bind([x], [x])).Message);
        Assert.Contains("1 tensors were expected; found 0", Assert.ThrowsExactly<ArgumentException>(() => session.Bind([], [sum])).Message);
    }

    [TestMethod]
    public void Run_WrongLengthsBuffersOrNames_AreRefusedInWords()
    {
        using var tiny = new TinyFamily();
        using var session = new ElasticSession(tiny.Open(), tiny.Profile(3000, 1000), FiveMs, Options);
        using var other = new ElasticSession(tiny.Open(), tiny.Profile(3000, 1000), FiveMs, Options);
        using var buffers = other.CreateBuffers();

        Assert.Contains("holds 3 numbers; found 2", Refusal(() => session.Run([1, 2], new float[2])));
        Assert.Contains("holds 2 numbers; found 3", Refusal(() => session.Run([1, 2, 3], new float[3])));
        Assert.Contains("another session", Refusal(() => session.Run(buffers)));
        Assert.Contains("no 'x' of Int64", Refusal(() => buffers.Input<long>("x")));
        Assert.Contains("'nothing' is none of them", Refusal(() => session.SwitchTo("nothing")));
    }

    [TestMethod]
    public void Run_TranslatorWithTwoIntegerInputs_Runs()
    {
        using var tiny = TinyFamily.Translator();
        var profile = tiny.Profile(1000) with { Device = DeviceProbe.Read() };
        profile = profile with { Measurement = profile.Measurement with { Threads = 1, Spinning = false, OpenAxis = 16 } };
        using var session = new ElasticSession(tiny.Open(), profile, options: Options with { OpenAxis = 3 });
        using var buffers = session.CreateBuffers();
        new long[] { 1, 1, 1 }.CopyTo(buffers.Input<long>("source"));
        new long[] { 0, 1, 2 }.CopyTo(buffers.Input<long>("target"));

        session.Run(buffers);

        CollectionAssert.AreEqual(new float[] { 1, 10, 2, 20, 3, 30 }, buffers.Output("logits").ToArray());
        Assert.Contains("use CreateBuffers", Refusal(() => session.Run([1f], new float[1])));
        Assert.AreEqual("It was measured with open axes of 16, not 3.", session.StaleBecause);
    }

    [TestMethod]
    public void SwitchTo_AnyVariant_AnswersFromTheNextRunOn()
    {
        using var tiny = new TinyFamily("a", "b", "c", "d");
        using var session = new ElasticSession(tiny.Open(), tiny.Profile(4000, 3000, 2000, 1000), options: Options);
        var output = new float[2];
        var switches = new List<string>();
        session.Switched += change => switches.Add($"{change.From.Id} {change.To.Id}");

        foreach (var (id, factor) in new[] { ("b", 2), ("d", 4), ("a", 1), ("c", 3) })
        {
            session.SwitchTo(id);
            Assert.AreEqual(id, session.Run([1, 0, 0], output).Id); // at once, and from a standby that was never near
            Assert.AreEqual(factor, output[0]);
            Settle(session);
            Assert.AreEqual(id, session.Run([1, 0, 0], output).Id); // and from the prepacked one
            Assert.AreEqual(factor, output[0]);
        }

        CollectionAssert.AreEqual(new[] { "a b", "b d", "d a", "a c" }, switches);
        Assert.IsNull(session.Problem);
    }

    [TestMethod]
    public void Run_TheLoadRisesAndFalls_IsFollowedAndTheLogReplays()
    {
        using var tiny = new TinyFamily();
        var clock = new SteppingClock { StepUs = 3000 };
        using var session = new ElasticSession(tiny.Open(), tiny.Profile(3000, 1000), FiveMs, Options, clock);
        var window = Options.Governor!.WindowRuns;
        var output = new float[2];
        Assert.AreEqual("large", session.Active.Id);

        clock.StepUs = 6000;
        Run(window);
        Assert.IsTrue(session.MissesLimit);
        Run((Options.Governor.MissesToStepDown - 1) * window);
        Assert.AreEqual("small", session.Active.Id);
        Assert.IsFalse(session.MissesLimit, "of the small one no window is known yet");

        Settle(session);
        Run(window);
        Assert.IsTrue(session.MissesLimit);
        clock.StepUs = 1000;
        Run((Options.Governor.CalmToStepUp + 1) * window);
        Assert.AreEqual("large", session.Active.Id);
        Assert.IsFalse(session.MissesLimit);
        Assert.IsNull(session.Log.FirstDisagreement());
        Assert.IsNotEmpty(session.Log.Entries);

        void Run(int runs)
        {
            for (var i = 0; i < runs; i++)
            {
                session.Run([1, 2, 3], output);
            }
        }
    }

    [TestMethod]
    public void SwitchTo_WhileEightThreadsRun_NoAnswerIsLostOrMixedUp()
    {
        const int Threads = 8, RunsEach = 2500, RunsPerSwitch = 100;
        using var tiny = new TinyFamily("a", "b", "c");
        using var session = new ElasticSession(tiny.Open(), tiny.Profile(3000, 2000, 1000), options: Options);
        var (runs, wrong) = (0, 0);

        Parallel.For(0, Threads, new ParallelOptions { MaxDegreeOfParallelism = Threads }, thread =>
        {
            float[] input = new float[3], output = new float[2];
            for (var i = 0; i < RunsEach; i++)
            {
                input[0] = (thread * RunsEach) + i;
                var answered = session.Run(input, output);
                if (output[0] != input[0] * (answered.Id[0] - 'a' + 1))
                {
                    Interlocked.Increment(ref wrong);
                }

                if (Interlocked.Increment(ref runs) is var count && count % RunsPerSwitch == 0)
                {
                    session.SwitchTo("abc"[count / RunsPerSwitch % 3].ToString());
                }
            }
        });

        Assert.AreEqual((Threads * RunsEach, 0), (runs, wrong));
    }

    [TestMethod]
    public void Dispose_WhileThreadsRunAndSwitch_LetsTheRunsInsideEndAndRefusesTheRest()
    {
        const int Threads = 4, Repetitions = 10;
        using var tiny = new TinyFamily("a", "b", "c");
        var (family, profile) = (tiny.Open(), tiny.Profile(3000, 2000, 1000));
        for (var repetition = 0; repetition < Repetitions; repetition++)
        {
            var session = new ElasticSession(family, profile, options: Options);
            using var started = new CountdownEvent(Threads);
            var running = Enumerable.Range(0, Threads).Select(thread => Task.Factory.StartNew(() => RunUntilDisposed(thread), TaskCreationOptions.LongRunning)).ToArray();
            started.Wait();

            session.Dispose();

            Task.WaitAll(running); // an answer that is wrong, or another exception, fails here

            void RunUntilDisposed(int thread)
            {
                var output = new float[2];
                for (var run = 0; ; run++)
                {
                    try
                    {
                        Assert.AreEqual(session.Run([1, 0, 0], output).Id[0] - 'a' + 1, output[0]);
                        session.SwitchTo("abc"[(thread + run) % 3].ToString());
                    }
                    catch (ObjectDisposedException)
                    {
                        return;
                    }

                    if (run == 3)
                    {
                        started.Signal();
                    }
                }
            }
        }
    }

    [TestMethod]
    public void Run_TheSameBuffersTwiceAtOnce_IsRefused()
    {
        using var tiny = new TinyFamily();
        var clock = new SteppingClock { StepUs = 1 };
        using var session = new ElasticSession(tiny.Open(), tiny.Profile(3000, 1000), FiveMs, Options, clock);
        using var buffers = session.CreateBuffers();
        InvalidOperationException? refused = null;
        clock.OnRead = () => refused ??= Refuse();

        session.Run(buffers);

        Assert.Contains("in use by another run", refused!.Message);

        InvalidOperationException Refuse()
        {
            clock.OnRead = null;
            return Assert.ThrowsExactly<InvalidOperationException>(() => session.Run(buffers));
        }
    }

    [TestMethod]
    public void Buffers_MadeAndDisposedOfAgainAndAgain_GiveTheirPlaceToTheNext()
    {
        using var tiny = new TinyFamily();
        using var session = new ElasticSession(tiny.Open(), tiny.Profile(3000, 1000), FiveMs, Options);

        for (var i = 1; i <= 100; i++)
        {
            using var buffers = session.CreateBuffers();
            buffers.Input<float>("x")[0] = i;
            session.Run(buffers);
            Assert.AreEqual(i, buffers.Output("sum")[0]);
            Assert.AreEqual(0, buffers.Index);
        }
    }

    [TestMethod]
    public void Return_ToAPoolThatIsDisposedOf_DisposesOfTheBuffers()
    {
        using var tiny = new TinyFamily();
        using var session = new ElasticSession(tiny.Open(), tiny.Profile(3000, 1000), FiveMs, Options);
        var pool = new BufferPool(session.CreateBuffers);
        var (free, used) = (pool.Rent(), pool.Rent());
        pool.Return(free);

        pool.Dispose();
        pool.Return(used);

        Assert.ThrowsExactly<ObjectDisposedException>(() => session.Run(free));
        Assert.ThrowsExactly<ObjectDisposedException>(() => session.Run(used));
    }

    [TestMethod]
    public void SwitchTo_AFileThatIsGone_FailsAndTheActiveVariantGoesOn()
    {
        using var tiny = new TinyFamily("a", "b", "c");
        using var session = new ElasticSession(tiny.Open(), tiny.Profile(3000, 2000, 1000), options: Options);
        File.Delete(tiny["c.onnx"]);
        var output = new float[2];

        Assert.ThrowsExactly<ModelException>(() => session.SwitchTo("c"));
        Assert.AreEqual("a", session.Run([1, 0, 0], output).Id);

        session.SwitchTo("b"); // whose neighbour cannot be loaded
        Settle(session);
        Assert.AreEqual("b", session.Run([1, 0, 0], output).Id);
        Assert.Contains("c.onnx", session.Problem!);
    }

    [TestMethod]
    public void SwitchTo_ANeighbourThatIsGone_StillPrepacksTheActiveVariantAndUnloadsTheFarOnes()
    {
        using var tiny = new TinyFamily("a", "b", "c", "d");
        using var residency = new Residency(tiny.Open(), tiny.Manifest.Variants, start: 3, Options);
        File.Delete(tiny["a.onnx"]);
        residency.MoveTo(1);
        residency.Enter().Leave();
        Assert.IsTrue(SpinWait.SpinUntil(() => !residency.Settling, TimeSpan.FromSeconds(30)));

        Assert.Contains("a.onnx", residency.Problem!);
        Assert.IsTrue(residency.IsPrepacked);
    }

    [TestMethod]
    public void Run_AfterDispose_IsRefused()
    {
        using var tiny = new TinyFamily();
        var session = new ElasticSession(tiny.Open(), tiny.Profile(3000, 1000), FiveMs, Options);
        var buffers = session.CreateBuffers();
        session.Run(buffers);

        session.Dispose();
        session.Dispose();

        Assert.ThrowsExactly<ObjectDisposedException>(() => session.Run(buffers));
        buffers.Dispose();
        buffers.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => session.Run(buffers));
    }

    static string Samples => new('b', 64);

    static string Refusal(Action act) => Assert.ThrowsExactly<ArgumentException>(act).Message;

    static void Settle(ElasticSession session) =>
        Assert.IsTrue(SpinWait.SpinUntil(() => !session.Settling, TimeSpan.FromSeconds(30)), "the standbys never settled");

    static void RunBoth(ElasticSession session, RunBuffers buffers, float[] input, float[] output, int runs)
    {
        for (var i = 0; i < runs; i++)
        {
            session.Run(buffers);
            session.Run(input, output);
        }
    }

    /// <summary>A clock that moves by one step whenever it is read, so that every run takes one step.</summary>
    sealed class SteppingClock : TimeProvider
    {
        long _microseconds;

        public long StepUs { get; set; }

        public Action? OnRead { get; set; }

        public override long TimestampFrequency => 1_000_000;

        public override long GetTimestamp()
        {
            OnRead?.Invoke();
            return _microseconds += StepUs;
        }
    }
}
