namespace MaestroDeploy.Tests.Cli;

/// <summary>A family made from the command line, for tests of the verbs that want one.</summary>
static class SmallFamily
{
    /// <summary>Writes <c>m.lod.onnx</c> and <c>family/</c> into a folder.</summary>
    public static void In(TemporaryFolder folder, string budgets = "1,0.25")
    {
        SmallModels.Mlp.Save(folder["m.lod.onnx"]);
        CommandLine.Run("export", folder["m.lod.onnx"], "--out", folder["family"], "--budgets", budgets).Succeeded();
    }
}
