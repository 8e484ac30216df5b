namespace MaestroDeploy.Runtime;

/// <summary>A graph that hands its one number on, <c>y [1] = Identity(x [1])</c>, as the protobuf bytes of an ONNX ModelProto.</summary>
/// <remarks>Written out because this room knows no protobuf. Field numbers are those of onnx.proto.</remarks>
static class IdentityModel
{
    public static byte[] Bytes { get; } =
    [
        0x08, 8,                                                            // ir_version (1): 8
        0x42, 2, 0x10, 17,                                                  // opset_import (8): version (2) 17
        0x3A, 55,                                                           // graph (7), 55 bytes:
        0x0A, 16, 0x0A, 1, (byte)'x', 0x12, 1, (byte)'y',                   //   node (1): input (1) x, output (2) y,
        0x22, 8, .. "Identity"u8,                                           //     op_type (4)
        0x12, 1, (byte)'g',                                                 //   name (2)
        0x5A, 15, 0x0A, 1, (byte)'x', .. OneFloat,                          //   input (11): name (1), type (2)
        0x62, 15, 0x0A, 1, (byte)'y', .. OneFloat,                          //   output (12): name (1), type (2)
    ];

    // type (2): tensor_type (1): elem_type (1) float, shape (2): dim (1): dim_value (1) 1
    static ReadOnlySpan<byte> OneFloat => [0x12, 10, 0x0A, 8, 0x08, 1, 0x12, 4, 0x0A, 2, 0x08, 1];
}
