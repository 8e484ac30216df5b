using MaestroDeploy.Profiles;

namespace MaestroDeploy.Runtime.Doctor;

/// <summary>How much equal pieces of work differ on this machine now, and how many samples a profile therefore needs.</summary>
/// <param name="Statistics">The times of the pieces.</param>
/// <param name="SamplesNeeded">Samples after which p90's upper bound lies within a twentieth of p90; null when a million do not suffice.</param>
sealed record NoiseProbe(LatencyStatistics Statistics, int? SamplesNeeded)
{
    /// <summary>How far above p90 its bound may lie, as a share of p90.</summary>
    public const double Tolerance = 0.05;

    const int Pieces = 2000;

    /// <summary>Times pieces of plain arithmetic, about half a second of it.</summary>
    public static NoiseProbe Measure(TimeProvider clock)
    {
        var protocol = MeasureProtocol.Probe(clock);
        var numbers = new double[1024];
        var times = new double[Pieces];
        protocol.WarmUp(Work, CancellationToken.None);
        for (var i = 0; i < Pieces; i++)
        {
            times[i] = protocol.Time(Work);
        }

        Array.Sort(times);
        return new NoiseProbe(LatencyStatistics.Of(times), Percentiles.SamplesFor(times, 0.90, 0.95, Tolerance));

        void Work()
        {
            for (var pass = 0; pass < 200; pass++)
            {
                for (var i = 0; i < numbers.Length; i++)
                {
                    numbers[i] = (numbers[i] * 0.5) + pass;
                }
            }
        }
    }
}
