using System.CommandLine;
using MaestroDeploy.Cli.Output;
using MaestroDeploy.Runtime;

namespace MaestroDeploy.Cli.Commands;

/// <summary>The options of how graphs are run, which a latency depends on.</summary>
sealed class SessionFlags
{
    readonly Option<Device> _device = SharedOptions.OnDevice();
    readonly Option<bool> _allowFallback = SharedOptions.AllowFallback();
    readonly Option<int> _threads = SharedOptions.Threads();
    readonly Option<bool> _noSpinning = new("--no-spinning") { Description = "Let idle threads sleep: answers come later, and the cores stay free." };
    readonly Option<bool> _noPrepacking = new("--no-prepacking") { Description = "Run on mapped weights as they are: less memory, slower where a batch has more than one sample." };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _device, _allowFallback, _threads, _noSpinning, _noPrepacking })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>How to run graphs: on the device that is really to be had.</summary>
    /// <exception cref="UsageException">The number of threads is out of its range.</exception>
    /// <exception cref="DeviceException">The device is not to be had, and no other is allowed.</exception>
    public SessionSettings Settings(ParseResult parsed, Terminal terminal) =>
        SharedOptions.Settings(parsed.GetValue(_device), parsed.GetValue(_threads), parsed.GetValue(_allowFallback), terminal) with
        {
            Spinning = !parsed.GetValue(_noSpinning),
            Prepack = !parsed.GetValue(_noPrepacking),
        };
}
