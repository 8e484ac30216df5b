using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace MaestroDeploy.Runtime;

/// <summary>The instruction sets that ONNX Runtime's kernels choose by, and lay weights out for.</summary>
static class InstructionSets
{
    /// <summary>The names of those that this machine has.</summary>
    public static IReadOnlyList<string> Here { get; } = Known();

    static IReadOnlyList<string> Known()
    {
        (string Name, bool There)[] sets =
        [
            ("SSE4.2", Sse42.IsSupported), ("AVX2", Avx2.IsSupported), ("FMA", Fma.IsSupported), ("AVX-512", Avx512F.IsSupported),
            ("NEON", AdvSimd.IsSupported), ("dot product", Dp.IsSupported),
        ];
        return [.. sets.Where(set => set.There).Select(set => set.Name)];
    }
}
