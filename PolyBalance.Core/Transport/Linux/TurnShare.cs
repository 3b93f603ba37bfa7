namespace PolyBalance.Transport.Linux;

/// <summary>How much one connection may do in one turn of its loop before others have their turn.</summary>
internal struct TurnShare
{
    private const int ReceivesMax = 4;

    private int _turn;
    private int _receives;

    /// <summary>Counts a receive. False when this turn has seen enough of them.</summary>
    /// <param name="turn">The turn of the loop.</param>
    public bool TryTake(int turn)
    {
        if (_turn != turn)
            (_turn, _receives) = (turn, 0);
        return ++_receives <= ReceivesMax;
    }
}
