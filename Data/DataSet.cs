namespace MaestroDeploy.Data;

/// <summary>A classification data set, split into what a model learns from and what it is judged by.</summary>
/// <param name="Name">The name it was asked for by, such as <c>digits</c>; a file's or a folder's own name, without where it lies.</param>
/// <param name="Train">The samples to train on.</param>
/// <param name="Test">The samples to measure accuracy on; of the same shape and classes as <paramref name="Train"/>.</param>
/// <param name="Scaling">How raw values became floats, in plain words such as <c>pixels / 255</c>, for whoever feeds the model.</param>
public sealed record DataSet(string Name, SampleSet Train, SampleSet Test, string Scaling)
{
    /// <summary>The same samples as a model wants them that was trained elsewhere.</summary>
    /// <param name="format">What it wants.</param>
    /// <exception cref="ArgumentException">The samples cannot be brought into that format.</exception>
    public DataSet As(SampleFormat format) => format.IsNone
        ? this
        : this with { Train = Train.As(format), Test = Test.As(format), Scaling = format.Words(Train.ScalingBy(format)?.Words ?? Scaling) };
}
