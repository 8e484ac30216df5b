namespace MaestroDeploy.Onnx.LowRank;

/// <summary>Matrices as plain arrays, row-major.</summary>
public static class Matrices
{
    /// <summary>[rows, columns] → [columns, rows].</summary>
    /// <param name="values">The matrix.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="columns">Its columns.</param>
    public static float[] Transpose(float[] values, int rows, int columns)
    {
        var turned = new float[values.Length];
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
            {
                turned[column * rows + row] = values[row * columns + column];
            }
        }

        return turned;
    }
}
