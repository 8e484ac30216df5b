using static MaestroDeploy.Compressor.Graph.Operators.Activations;
using static MaestroDeploy.Compressor.Graph.Operators.Elementwise;
using static MaestroDeploy.Compressor.Graph.Operators.Reductions;
using static TorchSharp.torch;

namespace MaestroDeploy.Compressor.Graph.Operators;

/// <summary>Every operator of the trainable graph: the one place that registers them.</summary>
static class OperatorTable
{
    public static readonly IReadOnlyDictionary<string, OperatorEntry> Operators = new SortedDictionary<string, OperatorEntry>(StringComparer.Ordinal)
    {
        // Arithmetic, logic and types
        ["Abs"] = Unary(x => x.abs()),
        ["Acos"] = Unary(x => x.acos()),
        ["Acosh"] = Unary(x => x.acosh()),
        ["Add"] = Binary((a, b) => a + b),
        ["And"] = Binary((a, b) => a.logical_and(b)),
        ["Asin"] = Unary(x => x.asin()),
        ["Asinh"] = Unary(x => x.asinh()),
        ["Atan"] = Unary(x => x.atan()),
        ["Atanh"] = Unary(x => x.atanh()),
        ["Cast"] = new(1, Cast),
        ["CastLike"] = new(2, _ => (inputs, _) => [inputs[0]!.to(inputs[1]!.dtype)]),
        ["Ceil"] = Unary(x => x.ceil()),
        ["Clip"] = new(1, Clip) { Settings = [1, 2] },
        ["Cos"] = Unary(x => x.cos()),
        ["Cosh"] = Unary(x => x.cosh()),
        ["Div"] = Binary(Div),
        ["Equal"] = Binary((a, b) => a.eq(b)),
        ["Erf"] = Unary(x => x.erf()),
        ["Exp"] = Unary(x => x.exp()),
        ["Floor"] = Unary(x => x.floor()),
        ["Greater"] = Binary((a, b) => a.gt(b)),
        ["GreaterOrEqual"] = Binary((a, b) => a.ge(b)),
        ["Identity"] = Unary(x => x.alias()),
        ["IsInf"] = new(1, IsInf),
        ["IsNaN"] = Unary(x => x.isnan()),
        ["Less"] = Binary((a, b) => a.lt(b)),
        ["LessOrEqual"] = Binary((a, b) => a.le(b)),
        ["Log"] = Unary(x => x.log()),
        ["Max"] = Elementwise.Fold((a, b) => a.maximum(b)),
        ["Mean"] = new(1, Elementwise.Mean),
        ["Min"] = Elementwise.Fold((a, b) => a.minimum(b)),
        ["Mod"] = new(2, Mod),
        ["Mul"] = Binary((a, b) => a * b),
        ["Neg"] = Unary(x => -x),
        ["Not"] = Unary(x => x.logical_not()),
        ["Or"] = Binary((a, b) => a.logical_or(b)),
        ["Pow"] = new(2, Pow) { Settings = [1] },
        ["Reciprocal"] = Unary(x => x.reciprocal()),
        ["Round"] = Unary(x => x.round()),
        ["Sign"] = Unary(x => x.sign()),
        ["Sin"] = Unary(x => x.sin()),
        ["Sinh"] = Unary(x => x.sinh()),
        ["Sqrt"] = Unary(x => x.sqrt()),
        ["Sub"] = Binary((a, b) => a - b),
        ["Sum"] = Elementwise.Fold((a, b) => a + b),
        ["Tan"] = Unary(x => x.tan()),
        ["Where"] = new(3, _ => (inputs, _) => [where(inputs[0]!, inputs[1]!, inputs[2]!)]),
        ["Xor"] = Binary((a, b) => a.logical_xor(b)),

        // Activations
        ["Celu"] = WithAlpha(1, (x, alpha) => x.relu() + ((x / alpha).clamp_max(0).expm1() * alpha)),
        ["Elu"] = WithAlpha(1, (x, alpha) => nn.functional.elu(x, alpha)),
        ["Gelu"] = new(1, Gelu),
        ["HardSigmoid"] = new(1, HardSigmoid),
        ["HardSwish"] = Unary(HardSwish),
        ["Hardmax"] = Along(Hardmax),
        ["LeakyRelu"] = WithAlpha(0.01f, (x, alpha) => nn.functional.leaky_relu(x, alpha)),
        ["LogSoftmax"] = Along((x, axis) => x.log_softmax(axis)),
        ["Mish"] = Unary(x => nn.functional.mish(x)),
        ["PRelu"] = new(2, PRelu),
        ["Relu"] = Unary(x => x.relu()),
        ["Selu"] = new(1, Selu),
        ["Shrink"] = new(1, Shrink),
        ["Sigmoid"] = Unary(x => x.sigmoid()),
        ["Softmax"] = Along((x, axis) => x.softmax(axis)),
        ["Softplus"] = Unary(x => nn.functional.softplus(x)),
        ["Softsign"] = Unary(x => nn.functional.softsign(x)),
        ["Swish"] = WithAlpha(1, (x, alpha) => x * (x * alpha).sigmoid()),
        ["Tanh"] = Unary(x => x.tanh()),
        ["ThresholdedRelu"] = WithAlpha(1, (x, alpha) => nn.functional.threshold(x, alpha, 0)),

        // Tensors made from few numbers
        ["Constant"] = new(0, Generation.Constant),
        ["ConstantOfShape"] = new(1, Generation.ConstantOfShape),
        ["EyeLike"] = new(1, Generation.EyeLike),
        ["OneHot"] = new(3, Generation.OneHot) { Settings = [1, 2] },
        ["Range"] = new(3, Generation.Range) { Settings = [0, 1, 2] },
        ["Trilu"] = new(1, Generation.Trilu),

        // Axes
        ["DepthToSpace"] = new(1, Shaping.DepthToSpace),
        ["Dropout"] = new(1, Shaping.Dropout, Outputs: 2) { Settings = [1] },
        ["Expand"] = new(2, Shaping.Expand),
        ["Flatten"] = new(1, Shaping.Flatten),
        ["Reshape"] = new(1, Shaping.Reshape),
        ["Shape"] = new(1, Shaping.Shape),
        ["Size"] = Unary(Shaping.Size),
        ["SpaceToDepth"] = new(1, Shaping.SpaceToDepth),
        ["Squeeze"] = new(1, Shaping.Squeeze),
        ["Transpose"] = new(1, Shaping.Transpose),
        ["Unsqueeze"] = new(1, Shaping.Unsqueeze),

        // Parts and wholes
        ["Concat"] = new(1, Joining.Concat),
        ["Pad"] = new(1, Joining.Pad) { Settings = [2] },
        ["Split"] = new(1, Joining.Split, Outputs: int.MaxValue),
        ["Tile"] = new(2, Joining.Tile),

        // Places
        ["ArgMax"] = new(1, Ordering.ArgMax),
        ["ArgMin"] = new(1, Ordering.ArgMin),
        ["CumSum"] = new(2, Ordering.CumSum),
        ["Gather"] = new(2, Indexing.Gather),
        ["GatherElements"] = new(2, Indexing.GatherElements),
        ["GatherND"] = new(2, Indexing.GatherND),
        ["NonZero"] = Unary(x => x.nonzero().t()),
        ["Scatter"] = new(3, Scattering.Elements),
        ["ScatterElements"] = new(3, Scattering.Elements),
        ["ScatterND"] = new(3, Scattering.Slices),
        ["Slice"] = new(1, Indexing.Slice),
        ["TopK"] = new(1, Ordering.TopK, Outputs: 2),

        // Products and convolutions
        ["Conv"] = new(2, Convolution.Conv),
        ["ConvTranspose"] = new(2, Convolution.Transposed),
        ["Einsum"] = new(1, Products.Einsum),
        ["Gemm"] = new(2, Products.Gemm),
        ["MatMul"] = Binary((a, b) => a.matmul(b)),

        // Pools and sizes
        ["AveragePool"] = new(1, Pooling.Average),
        ["GlobalAveragePool"] = Unary(Pooling.GlobalAverage),
        ["GlobalLpPool"] = new(1, Pooling.GlobalLp),
        ["GlobalMaxPool"] = Unary(Pooling.GlobalMax),
        ["LpPool"] = new(1, Pooling.Lp),
        ["MaxPool"] = new(1, Pooling.Max),
        ["Resize"] = new(1, Resizing.Resize) { Settings = [1, 2, 3] },
        ["Upsample"] = new(1, Resizing.Upsample) { Settings = [1] },

        // Reductions
        ["ReduceL1"] = Over((x, axes, keeps) => Reductions.Sum(x.abs(), axes, keeps)),
        ["ReduceL2"] = Over((x, axes, keeps) => Norm(x, 2, axes, keeps)),
        ["ReduceLogSum"] = Over((x, axes, keeps) => Reductions.Sum(x, axes, keeps).log()),
        ["ReduceLogSumExp"] = OneByOne((x, axis, keeps) => x.logsumexp(axis, keeps)),
        ["ReduceMax"] = Over((x, axes, keeps) => x.amax(axes, keeps)),
        ["ReduceMean"] = Over((x, axes, keeps) => x.mean(axes, keeps)),
        ["ReduceMin"] = Over((x, axes, keeps) => x.amin(axes, keeps)),
        ["ReduceProd"] = OneByOne((x, axis, keeps) => x.prod(axis, keeps, x.dtype)),
        ["ReduceSum"] = Over(Reductions.Sum),
        ["ReduceSumSquare"] = Over((x, axes, keeps) => Reductions.Sum(x.square(), axes, keeps)),

        // Normalisations
        ["BatchNormalization"] = new(5, Normalization.Batch),
        ["GroupNormalization"] = new(3, Normalization.Group),
        ["InstanceNormalization"] = new(3, Normalization.Instance),
        ["LRN"] = new(1, Normalization.LocalResponse),
        ["LayerNormalization"] = new(2, Normalization.Layer, Outputs: 3),
        ["LpNormalization"] = new(1, Normalization.Lp),
        ["MeanVarianceNormalization"] = new(1, Normalization.MeanVariance),
    };
}
