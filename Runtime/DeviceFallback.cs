namespace MaestroDeploy.Runtime;

/// <summary>What is really to be had of what was asked for; decided once, before anything is loaded or measured.</summary>
/// <param name="Settings">The settings to use.</param>
/// <param name="FellBackBecause">Why the processor stands in for the device that was asked for; null where it does not.</param>
public sealed record DeviceFallback(SessionSettings Settings, string? FellBackBecause)
{
    /// <summary>Makes sure of the device, or puts the processor in its place where that is allowed.</summary>
    /// <param name="settings">What was asked for.</param>
    /// <param name="allow">Whether the processor may stand in.</param>
    /// <exception cref="DeviceException">The device is not to be had, and nothing may stand in.</exception>
    public static DeviceFallback Resolve(SessionSettings settings, bool allow)
    {
        if (settings.Device == Device.Cpu)
        {
            return new DeviceFallback(settings, null);
        }

        try
        {
            ModelSession.CheckDevice(settings.Device);
            return new DeviceFallback(settings, null);
        }
        catch (DeviceException e) when (allow)
        {
            return new DeviceFallback(settings with { Device = Device.Cpu }, e.Message);
        }
    }
}
