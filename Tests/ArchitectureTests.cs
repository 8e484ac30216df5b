using System.Reflection;
using MaestroDeploy.Cli;
using MaestroDeploy.Compressor.Graph;
using MaestroDeploy.Data;
using MaestroDeploy.Exporter;
using MaestroDeploy.Hosting;
using MaestroDeploy.Onnx;
using MaestroDeploy.Profiles;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Tests;

/// <summary>The arrows between the rooms: docs/design.md has them as a table.</summary>
[TestClass]
public sealed class ArchitectureTests
{
    static readonly Dictionary<string, (Assembly Room, string[] MayUse)> Rooms = new()
    {
        ["Profiles"] = (typeof(FamilyManifest).Assembly, []),
        ["Onnx"] = (typeof(OnnxModel).Assembly, []),
        ["Data"] = (typeof(DataSet).Assembly, []),
        ["Runtime"] = (typeof(Family).Assembly, ["Profiles"]),
        ["Hosting"] = (typeof(ElasticModelOptions).Assembly, ["Profiles", "Runtime"]),
        ["Compressor"] = (typeof(TrainableGraph).Assembly, ["Onnx", "Data", "Runtime"]),
        ["Exporter"] = (typeof(FamilyExporter).Assembly, ["Onnx", "Data", "Profiles", "Runtime"]),
        ["Cli"] = (typeof(MaestroCommand).Assembly, ["Onnx", "Data", "Profiles", "Runtime", "Compressor", "Exporter"]),
    };

    [TestMethod]
    [DataRow("Profiles")]
    [DataRow("Onnx")]
    [DataRow("Data")]
    [DataRow("Runtime")]
    [DataRow("Hosting")]
    [DataRow("Compressor")]
    [DataRow("Exporter")]
    [DataRow("Cli")]
    public void Room_UsesOnlyTheRoomsItsArrowsAllow(string name)
    {
        const string Prefix = "MaestroDeploy.";
        var (room, mayUse) = Rooms[name];

        var uses = room.GetReferencedAssemblies().Select(reference => reference.Name!).Where(used => used.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(used => used[Prefix.Length..]);

        Assert.IsEmpty(uses.Except(mayUse).ToArray());
    }

    [TestMethod]
    [DataRow("Runtime", "Google.Protobuf")]
    [DataRow("Runtime", "TorchSharp")]
    [DataRow("Hosting", "TorchSharp")]
    [DataRow("Exporter", "TorchSharp")]
    [DataRow("Onnx", "Microsoft.ML.OnnxRuntime")]
    [DataRow("Profiles", "Microsoft.ML.OnnxRuntime")]
    public void Room_DoesNotDragIn(string name, string library) =>
        Assert.DoesNotContain(library, Rooms[name].Room.GetReferencedAssemblies().Select(reference => reference.Name));

    [TestMethod]
    public void Room_OnlyTheCommandWritesToTheConsole()
    {
        foreach (var (room, _) in Rooms.Where(room => room.Key != "Cli").Select(room => room.Value))
        {
            Assert.DoesNotContain("System.Console", room.GetReferencedAssemblies().Select(reference => reference.Name));
        }
    }
}
