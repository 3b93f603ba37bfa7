namespace PolyBalance.Backends;

/// <summary>Something that a request waits for.</summary>
internal interface IWaiting
{
    /// <summary>The client has left: nobody waits any more. Any thread; must not block.</summary>
    void Leave();
}

/// <summary>A client whose request waits.</summary>
internal interface IWaitingClient
{
    /// <summary>Notes what it waits for, so that it leaves the queue when it goes. False: it is gone already.</summary>
    bool TryWait(IWaiting waiting);

    /// <summary>It waits no more. False: it has left.</summary>
    bool TryEndWait(IWaiting waiting);
}
