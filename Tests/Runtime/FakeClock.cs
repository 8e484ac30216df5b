namespace MaestroDeploy.Tests.Runtime;

/// <summary>A clock that moves only when a test moves it, in microseconds.</summary>
sealed class FakeClock : TimeProvider
{
    long _microseconds;

    public override long TimestampFrequency => 1_000_000;

    public TimeSpan Now => TimeSpan.FromMicroseconds(_microseconds);

    public override long GetTimestamp() => _microseconds;

    /// <summary>A run that takes as long as <paramref name="duration"/> says for its number, counted from 0.</summary>
    public Action Run(Func<int, long> duration)
    {
        var run = 0;
        return () => _microseconds += duration(run++);
    }
}
