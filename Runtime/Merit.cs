using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime;

/// <summary>What makes one variant better than another, latency apart: its accuracy or, where none was measured, its MACs.</summary>
/// <param name="Accuracy">In 0..1; −1 where it was not measured, which is less than any.</param>
/// <param name="Macs">0 where the accuracy was measured.</param>
readonly record struct Merit(double Accuracy, long Macs) : IComparable<Merit>
{
    public static Merit Of(Variant variant) => variant.Accuracy is { } accuracy ? new Merit(accuracy, 0) : new Merit(-1, variant.Macs);

    public int CompareTo(Merit other) => (Accuracy, Macs).CompareTo((other.Accuracy, other.Macs));
}
