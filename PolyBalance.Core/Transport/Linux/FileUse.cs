namespace PolyBalance.Transport.Linux;

/// <summary>Keeps a file descriptor open while threads use it that are not the one that closes it.</summary>
/// <remarks>Any thread. Its number could otherwise be given to another file between a look and a call.</remarks>
internal struct FileUse
{
    private const int Closing = int.MinValue;

    private int _users;         // Closing more: to be closed when the last has left

    /// <summary>Begins a use. False when the file is being closed.</summary>
    public bool TryBegin()
    {
        var users = Volatile.Read(ref _users);
        while (users >= 0)
        {
            var before = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (before == users)
                return true;
            users = before;
        }

        return false;
    }

    /// <summary>Ends a use. True when the caller has to close the file.</summary>
    public bool End() => Interlocked.Decrement(ref _users) == Closing;

    /// <summary>No use begins any more; once. True when the caller has to close the file.</summary>
    public bool Close() => Interlocked.Add(ref _users, Closing) == Closing;
}
