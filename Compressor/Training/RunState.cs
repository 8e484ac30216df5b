namespace MaestroDeploy.Compressor.Training;

/// <summary>How far a run has come, beside its tensors: all that a checkpoint must tell to go on as if it had never stopped.</summary>
sealed record RunState
{
    /// <summary>Every finished epoch.</summary>
    public IReadOnlyList<EpochMetrics> Epochs { get; init; } = [];

    /// <summary>Steps taken.</summary>
    public long Step { get; init; }

    /// <summary>The step from which on the weights have been factored, and moments gathered; 0 where they were from the start.</summary>
    public long FactoredSince { get; init; }

    /// <summary>The step from which on the ranks have been as they are.</summary>
    public long RanksSince { get; init; }

    /// <summary>Which of the options' plans are trained: the best of each budget; null where there was nothing to choose.</summary>
    public IReadOnlyList<int>? Kept { get; init; }

    /// <summary>The start's validation score; null where no plans are trained, or nothing is held out.</summary>
    public double? StartScore { get; init; }

    /// <summary>Multiply-accumulates spent.</summary>
    public double TrainingMacs { get; init; }

    /// <summary>The best epoch since the ranks last changed, from 1; 0 where there is none yet.</summary>
    public int BestEpoch { get; init; }

    /// <summary>That epoch's validation score, lower being better.</summary>
    public double BestScore { get; init; }
}
