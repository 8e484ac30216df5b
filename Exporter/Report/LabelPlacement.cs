namespace MaestroDeploy.Exporter.Report;

/// <summary>Finds room for names beside points: each gets the first place around its point where nothing lies yet, or none.</summary>
/// <param name="left">Left end of the room, as are the others in the picture's units.</param>
/// <param name="top">Upper end.</param>
/// <param name="right">Right end.</param>
/// <param name="bottom">Lower end.</param>
sealed class LabelPlacement(double left, double top, double right, double bottom)
{
    const double Gap = 9; // from a point's centre to its name
    const double Space = 4; // between two names
    const double WidthOfLetter = 0.56; // of the font's size, on average

    readonly List<Box> _taken = [];

    /// <summary>A name's place.</summary>
    /// <param name="X">Where it starts.</param>
    /// <param name="Y">Its base line.</param>
    public readonly record struct Place(double X, double Y);

    /// <summary>Keeps a rectangle free of names.</summary>
    public void Take(double x, double y, double width, double height) => _taken.Add(new Box(x, y, x + width, y + height));

    /// <summary>About how wide a text is.</summary>
    public static double Width(string text, double fontSize) => text.Length * WidthOfLetter * fontSize;

    /// <summary>A place for a name beside a point; null when there is none.</summary>
    public Place? Find(double x, double y, string text, double fontSize)
    {
        var (width, height) = (Width(text, fontSize) + Space, fontSize);
        (double X, double Y)[] corners =
        [
            (x + Gap, y - (height / 2)), (x - (width / 2), y - Gap - height), (x - (width / 2), y + Gap), (x - Gap - width, y - (height / 2)),
            (x + Gap, y - Gap - height), (x + Gap, y + Gap), (x - Gap - width, y - Gap - height), (x - Gap - width, y + Gap),
        ];
        foreach (var corner in corners)
        {
            var box = new Box(corner.X, corner.Y, corner.X + width, corner.Y + height);
            if (box.Left >= left && box.Top >= top && box.Right <= right && box.Bottom <= bottom && !_taken.Exists(box.Overlaps))
            {
                _taken.Add(box);
                return new Place(corner.X, corner.Y + (0.82 * height));
            }
        }

        return null;
    }

    readonly record struct Box(double Left, double Top, double Right, double Bottom)
    {
        public bool Overlaps(Box other) => Left < other.Right && other.Left < Right && Top < other.Bottom && other.Top < Bottom;
    }
}
