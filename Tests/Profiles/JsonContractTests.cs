using System.Text.Json;
using System.Text.Json.Nodes;
using MaestroDeploy.Profiles;

namespace MaestroDeploy.Tests.Profiles;

/// <summary>The JSON that other programs read: a change here is a change of the format.</summary>
[TestClass]
public sealed class JsonContractTests
{
    [TestMethod]
    public void ToText_Manifest_IsTheAgreedJson() => AssertJson(Samples.Manifest(), """
        {
          "schema_version": 1, "name": "lenet", "ir_version": 8, "opset": 17,
          "inputs": [{"name": "image", "type": "float32", "shape": ["N", 1, 28, 28]}],
          "outputs": [{"name": "logits", "type": "float32", "shape": ["N", 10]}],
          "layers": [{"name": "fc1", "kind": "linear", "out": 20, "in": 30, "rank": 16}],
          "provenance": {"source": "model.lod.onnx", "source_sha256": "SHA", "created_by": "maestro 0.1.0",
            "created_utc": "2025-06-01T12:00:00+00:00"},
          "files": [{"file": "b50.onnx", "bytes": 10, "sha256": "SHA"}, {"file": "dense.onnx", "bytes": 10, "sha256": "SHA"}],
          "dense": {"id": "dense", "file": "dense.onnx", "params": 1000, "macs": 1000, "bytes": 4000, "accuracy": 0.99},
          "variants": [{"id": "b50", "file": "b50.onnx", "budget": 0.5, "plan": {"fc1": 8, "fc2": "dense"},
            "params": 500, "macs": 500, "bytes": 2000, "accuracy": 0.97, "accuracy_samples": 100, "accuracy_data": "digits"}]
        }
        """);

    [TestMethod]
    public void ToText_LatencyProfile_IsTheAgreedJson() => AssertJson(Samples.Profile(), """
        {
          "schema_version": 1, "family": "lenet", "family_sha256": "SHA",
          "device": {"name": "some-cpu", "cpu": "Some CPU", "cores": 2, "memory_bytes": 1024, "operating_system": "Linux",
            "architecture": "x64", "onnx_runtime": "1.31.1"},
          "measurement": {"mode": "quick", "provider": "cpu", "threads": 2, "spinning": true, "prepacked": true, "batch": 1,
            "order": "shuffled", "rounds": 16, "seed": 7, "measured_utc": "2025-06-01T12:00:00+00:00"},
          "call_overhead_us": 3,
          "variants": [{"id": "b50", "load_ms": 1.5, "first_run_us": 90, "warm_up_runs": 12, "warm_up_settled": true,
            "steady": {"samples": 64, "min_us": 40, "p50_us": 40, "p90_us": 40, "p95_us": 40,
              "p50_upper_us": 44, "p90_upper_us": 44, "p95_upper_us": 44, "mad_us": 0.5,
              "coefficient_of_variation": 0.02, "unstable": false}}]
        }
        """);

    [TestMethod]
    public void ToText_FamilyReport_IsTheAgreedJson() =>
        AssertJson(FamilyReport.Of("out/lenet", Samples.Manifest(), Samples.Profile()), """
        {
          "family": "out/lenet",
          "dense": {"id": "dense", "file": "dense.onnx", "params": 1000, "macs": 1000, "bytes": 4000, "accuracy": 0.99},
          "variants": [{"id": "b50", "file": "b50.onnx", "params": 500, "macs": 500, "bytes": 2000, "accuracy": 0.97,
            "p50_us": 40, "p90_us": 40, "load_ms": 1.5, "first_run_us": 90, "samples": 64,
            "budget": 0.5, "plan": {"fc1": 8, "fc2": "dense"}}]
        }
        """);

    [TestMethod]
    public void ToText_SelectionReport_IsTheAgreedJson() =>
        AssertJson(new SelectionReport(VariantReport.Of(Samples.Variant("b50", 500), null), true, "Fast enough.", 90, 5000), """
        {
          "variant": {"id": "b50", "file": "b50.onnx", "params": 500, "macs": 500, "bytes": 2000},
          "fits": true, "reason": "Fast enough.", "percentile": 90, "max_latency_us": 5000
        }
        """);

    [TestMethod]
    public void ToText_TrainingReport_IsTheAgreedJson() =>
        AssertJson(new TrainingReport("lenet", 3, 10, 20, new Dictionary<string, int> { ["fc1"] = 8, ["fc2"] = 0 }, 2, 0.5), """
        {"model": "lenet", "epochs": 3, "params": 10, "macs": 20, "ranks": {"fc1": 8, "fc2": 0}, "best_epoch": 2, "accuracy": 0.5}
        """);

    [TestMethod]
    public void ToText_ReportsWithoutWhatIsOptional_ComeBack()
    {
        var trained = new TrainingReport("lenet", 3, 10, 20, new Dictionary<string, int>(), 2);
        var distance = new OutputDistance(0.5, 1, OutputDistance.Random, 3);

        Assert.AreEqual(ProfilesJson.ToText(trained), ProfilesJson.ToText(JsonSerializer.Deserialize<TrainingReport>(ProfilesJson.ToText(trained), ProfilesJson.Options)));
        Assert.AreEqual(distance, JsonSerializer.Deserialize<OutputDistance>(ProfilesJson.ToText(distance), ProfilesJson.Options));
    }

    // Member for member and in order; only the white space of the expected text is free.
    static void AssertJson<T>(T value, string expected) => Assert.AreEqual(
        JsonNode.Parse(expected.Replace("SHA", Samples.Sha, StringComparison.Ordinal))!.ToJsonString(),
        JsonNode.Parse(ProfilesJson.ToText(value))!.ToJsonString());
}
