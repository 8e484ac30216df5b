namespace MaestroDeploy.Profiles;

/// <summary>How much of the dense model's cost one variant may spend, as a share.</summary>
/// <remarks>A share, not a count: <c>0.25</c> of a 40 MMAC model may spend 10 MMACs.</remarks>
public sealed record Budget
{
    /// <param name="share">Share of the dense cost to spend, in (0, 1].</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="share"/> is NaN, not positive, or above 1.</exception>
    public Budget(double share)
    {
        if (!(share > 0 && share <= 1)) // written this way round so that NaN fails too
        {
            throw new ArgumentOutOfRangeException(nameof(share), share, "A budget is a share in (0, 1].");
        }

        Share = share;
    }

    /// <summary>Share of the dense cost to spend, in (0, 1]. No unit.</summary>
    public double Share { get; }
}
