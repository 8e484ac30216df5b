using MaestroDeploy.Onnx;
using MaestroDeploy.Onnx.Build;
using static MaestroDeploy.Onnx.Protos.TensorProto.Types;

namespace MaestroDeploy.Compressor.Models;

/// <summary>An encoder-decoder transformer over words of one shared vocabulary, its embedding tied to its output.</summary>
/// <remarks>
/// <para>
/// Inputs: <c>source [N, source_length]</c> and <c>target [N, target_length]</c>, int64, padded with 0. Output: for each target word
/// the scores of the one that follows it, <c>[N, target_length, words]</c>.
/// </para>
/// <para>
/// Q, K, V, O and both feed-forward matrices are MatMuls on initializers, and so can be factored; norms come before each block, which
/// trains without a long rise of the rate. Source: Vaswani et al., arXiv:1706.03762; Xiong et al., arXiv:2002.04745.
/// </para>
/// </remarks>
sealed class Transformer
{
    /// <summary>The longest sentence that the position table serves.</summary>
    public const int LongestSentence = 128;

    const float Hidden = -1e9f; // added to a score, it leaves no probability

    readonly GraphBuilder _g;
    readonly int _width, _heads;
    readonly Value _embedding, _positions, _scale, _temperature, _padding, _hidden;

    Transformer(int words, int seed, int width, int heads)
    {
        _g = new GraphBuilder("transformer", seed);
        (_width, _heads) = (width, heads);
        _embedding = _g.Table("embedding", words, width);
        _positions = _g.Constant("positions", [LongestSentence, width], Waves(width));
        _scale = _g.Constant("embedding_scale", [], [MathF.Sqrt(width)]);
        _temperature = _g.Constant("temperature", [], [1 / MathF.Sqrt((float)width / heads)]);
        _hidden = _g.Constant("hidden_score", [], [Hidden]);
        _padding = _g.Constant(0);
    }

    /// <param name="words">Words of the vocabulary.</param>
    /// <param name="seed">Seeds the weights.</param>
    /// <param name="width">Numbers that stand for a word; the feed-forward blocks are four times as wide.</param>
    /// <param name="depth">Blocks in the encoder, and in the decoder.</param>
    /// <param name="heads">Heads of each attention; they divide the width.</param>
    public static OnnxModel Create(int words, int seed, int width, int depth, int heads)
    {
        var t = new Transformer(words, seed, width, heads);
        var g = t._g;
        Value source = g.Words("source"), target = g.Words("target");

        var unseen = t.Padding(source);                                          // [N, 1, 1, S]
        var x = t.Embed(source);                                                 // [N, S, width]
        for (var i = 1; i <= depth; i++)
        {
            var normed = g.LayerNorm(x, $"encoder{i}.norm1");
            x = g.Add(x, t.Attend(normed, normed, unseen, $"encoder{i}.self"));
            x = g.Add(x, t.FeedForward(g.LayerNorm(x, $"encoder{i}.norm2"), $"encoder{i}"));
        }

        var memory = g.LayerNorm(x, "encoder.norm");
        var future = t.Future(target);                                           // [T, T]
        var y = t.Embed(target);                                                 // [N, T, width]
        for (var i = 1; i <= depth; i++)
        {
            var normed = g.LayerNorm(y, $"decoder{i}.norm1");
            y = g.Add(y, t.Attend(normed, normed, future, $"decoder{i}.self"));
            y = g.Add(y, t.Attend(g.LayerNorm(y, $"decoder{i}.norm2"), memory, unseen, $"decoder{i}.cross"));
            y = g.Add(y, t.FeedForward(g.LayerNorm(y, $"decoder{i}.norm3"), $"decoder{i}"));
        }

        var turned = g.Node("Transpose", [t._embedding]);                        // [width, words]
        return g.Build(g.Node("MatMul", [g.LayerNorm(y, "decoder.norm"), turned]), "target_length");
    }

    /// <summary>softmax(Q·Kᵀ/√d + mask)·V over some heads: [N, T, width] asks, [N, S, width] is asked.</summary>
    Value Attend(Value asking, Value asked, Value mask, string name)
    {
        var queries = Split(_g.Project(asking, $"{name}.q", _width), 0, 2, 1, 3);             // [N, heads, T, d]
        var keys = Split(_g.Project(asked, $"{name}.k", _width), 0, 2, 3, 1);                 // [N, heads, d, S]
        var values = Split(_g.Project(asked, $"{name}.v", _width), 0, 2, 1, 3);               // [N, heads, S, d]
        var scores = _g.Node("Mul", [_g.Node("MatMul", [queries, keys]), _temperature]);      // [N, heads, T, S]
        var mixed = _g.Node("MatMul", [_g.Softmax(_g.Add(scores, mask)), values]);            // [N, heads, T, d]
        return _g.Project(_g.Reshape(Turn(mixed, 0, 2, 1, 3), 0, 0, _width), $"{name}.o", _width);
    }

    Value FeedForward(Value x, string name) => _g.Project(_g.Relu(_g.Project(x, $"{name}.in", 4 * _width)), $"{name}.out", _width);

    Value Split(Value x, params long[] order) => Turn(_g.Reshape(x, 0, 0, _heads, _width / _heads), order);

    Value Turn(Value x, params long[] order) => _g.Node("Transpose", [x], node => node.With("perm", order));

    /// <summary>Each word's row of the embedding, and where it stands: [N, L, width].</summary>
    Value Embed(Value words) => _g.Add(_g.Node("Mul", [_g.Node("Gather", [_embedding, words]), _scale]), First(_positions, Length(words), 0));

    /// <summary>What to add to the scores of padding: [N, 1, 1, L].</summary>
    Value Padding(Value words)
    {
        var isPadding = _g.Node("Cast", [_g.Node("Equal", [words, _padding])], node => node.With("to", (long)DataType.Float));
        return _g.Node("Unsqueeze", [_g.Node("Mul", [isPadding, _hidden]), _g.Constant(1, 2)]);
    }

    /// <summary>What to add to the scores of words that are still to come: [T, T].</summary>
    Value Future(Value words)
    {
        var all = new float[LongestSentence * LongestSentence];
        for (var row = 0; row < LongestSentence; row++)
        {
            all.AsSpan(row * LongestSentence + row + 1, LongestSentence - row - 1).Fill(Hidden);
        }

        var length = Length(words);
        return First(First(_g.Constant("future", [LongestSentence, LongestSentence], all), length, 0), length, 1);
    }

    Value Length(Value words) => _g.Node("Shape", [words], node => node.With("start", 1).With("end", 2));

    Value First(Value x, Value count, long axis) => _g.Node("Slice", [x, _g.Constant(0), count, _g.Constant(axis)]);

    /// <summary>Sines and cosines of wavelengths from 2π to 10000·2π: section 3.5 of the first source.</summary>
    static float[] Waves(int width)
    {
        var values = new float[LongestSentence * width];
        for (var i = 0; i < values.Length; i++)
        {
            var (place, channel) = Math.DivRem(i, width);
            var angle = place / Math.Pow(10000, channel / 2 * 2 / (double)width);
            values[i] = (float)(channel % 2 == 0 ? Math.Sin(angle) : Math.Cos(angle));
        }

        return values;
    }
}
