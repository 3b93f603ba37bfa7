using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Configuration;
using PolyBalance.Tests.Backends;
using PolyBalance.Tests.Http;

namespace PolyBalance.Tests.Balancing;

internal sealed class StickyTableTests
{
    private const long Now = 1_900_000_000;
    private const int Age = 3_600;
    private const string First = "first-key-0123456789-0123456789-01";
    private const string Second = "second-key-0123456789-0123456789-0";

    [Test]
    public void The_line_is_what_browsers_expect()
    {
        var table = Table(First);
        var line = Line(table, 2);

        Assert.That(line, Does.Match(
            "^Set-Cookie: X-LB-Backend=[A-Za-z0-9_-]{40}; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax\r\n$"));
        Assert.That(Line(table, 2, isTls: true), Is.EqualTo(line.Replace("\r\n", "; Secure\r\n")));
        Assert.That(line, Does.Not.Contain("10.0.0").And.Not.Contain("web-"));
    }

    [Test]
    public void The_longest_line_has_room()
    {
        var table = Table(First, options: new() { Cookie = new('n', 64), AgeMax = TimeSpan.FromHours(168) });

        Assert.That(Line(table, 0, isTls: true), Does.EndWith("; Max-Age=604800; HttpOnly; SameSite=Lax; Secure\r\n"));
    }

    [Test]
    public void A_request_with_the_cookie_belongs_to_its_backend()
    {
        var backends = SomeBackends.Make(3);
        var table = Table(First, backends: backends);

        for (var index = 0; index < 3; index++)
            Assert.That(Find(table, $"Cookie: a=b; {Cookie(table, index)}; c=d\r\n"), Is.EqualTo(
                new StickySession(backends[index])));
    }

    [Test]
    public void A_request_without_such_a_cookie_belongs_to_none()
    {
        var table = Table(First);

        Assert.That(Find(table, ""), Is.EqualTo(default(StickySession)));
        Assert.That(
            Find(table, "Cookie: a=b; x-lb-backend=1; X-LB-Backends=2\r\n"), Is.EqualTo(default(StickySession)));
    }

    [Test]
    public void A_session_ends_with_the_second_in_which_it_expires_and_is_due_after_half_its_time()
    {
        var table = Table(First);
        var fields = $"Cookie: {Cookie(table, 0)}\r\n";

        foreach (var (after, isDue) in
            ((int, bool)[])[(0, false), (Age / 2, false), ((Age / 2) + 1, true), (Age - 1, true)])
        {
            var session = Find(table, fields, Now + after);
            Assert.That((session.Home is not null, session.IsDue), Is.EqualTo((true, isDue)), $"after {after} s");
        }

        Assert.That(Find(table, fields, Now + Age), Is.EqualTo(new StickySession(null, WasRefused: true)));
    }

    [Test]
    public void A_cookie_of_another_cluster_another_key_or_a_backend_that_is_gone_is_refused()
    {
        var table = Table(First);
        foreach (var other in (StickyTable[])[Table(First, cluster: "api"), Table(Second), Table(First, from: 4)])
        {
            Assert.That(Find(table, $"Cookie: {Cookie(other, 0)}\r\n"),
                Is.EqualTo(new StickySession(null, WasRefused: true)));
        }
    }

    [Test]
    public void Keys_are_exchanged_without_an_end_to_any_session()
    {
        var backends = SomeBackends.Make(3);
        var old = Table(First, backends: backends);
        var rotated = Table($"{Second}\n{First}", backends: backends);
        var done = Table(Second, backends: backends);

        Assert.That(Find(rotated, $"Cookie: {Cookie(old, 1)}\r\n").Home, Is.SameAs(backends[1]));
        var signedAnew = Cookie(rotated, 1);
        Assert.That(Find(done, $"Cookie: {signedAnew}\r\n").Home, Is.SameAs(backends[1]), "the first key signs");
        Assert.That(Find(old, $"Cookie: {signedAnew}\r\n").Home, Is.Null);
    }

    [Test]
    public void The_first_cookie_that_counts_decides_among_four()
    {
        var backends = SomeBackends.Make(3);
        var table = Table(First, backends: backends);
        var forged = $"X-LB-Backend={new string('A', 40)}";

        Assert.That(Find(table, $"Cookie: {forged}; {Cookie(table, 1)}; {Cookie(table, 0)}\r\n").Home,
            Is.SameAs(backends[1]));
        Assert.That(
            Find(table, $"Cookie: {forged}\r\nA: 1\r\nCookie: {forged}; {forged}\r\nCookie: {Cookie(table, 2)}\r\n")
                .Home,
            Is.SameAs(backends[2]));
        Assert.That(
            Find(table, $"Cookie: {forged}; {forged}; {forged}; {forged}; {Cookie(table, 2)}\r\n"),
            Is.EqualTo(new StickySession(null, WasRefused: true)));
    }

    [Test]
    public void Two_instances_with_one_key_file_agree_on_ten_thousand_cookies()
    {
        var ours = SomeBackends.Make(5);
        var theirs = SomeBackends.Make(5);
        var one = Table($"# shared\n{First}\n{Second}\n", backends: ours);
        var other = Table($"{First}\r\n{Second}", backends: theirs);

        var wrong = 0;
        for (var round = 0; round < 10_000; round++)
        {
            var index = round % 5;
            var cookie = $"Cookie: {Cookie(one, index, Now + round)}\r\n";
            wrong += ReferenceEquals(Find(other, cookie, Now + round).Home, theirs[index])
                && cookie.Contains(Cookie(other, index, Now + round), StringComparison.Ordinal) ? 0 : 1;
        }

        Assert.That(wrong, Is.Zero);
    }

    [Test]
    public void Finding_a_session_and_writing_a_cookie_allocate_nothing()
    {
        var table = Table($"{Second}\n{First}");
        var request = HttpText.Request(
            $"GET / HTTP/1.1\r\nHost: x\r\nCookie: a=b; X-LB-Backend=no; {Cookie(Table(First), 1)}\r\n\r\n");
        var line = new byte[StickyTable.LineBytesMax];
        var sum = Run(10);

        var before = GC.GetAllocatedBytesForCurrentThread();
        sum += Run(1_000);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That((sum > 1_010, allocated), Is.EqualTo((true, 0L)));

        int Run(int rounds)
        {
            var found = 0;
            for (var round = 0; round < rounds; round++)
            {
                found += table.Find(request.Fields, Now).Home is null ? 0 : 1;
                found += table.WriteLine(0, Now, isTls: true, line);
            }

            return found;
        }
    }

    private static StickyTable Table(
        string keys, string cluster = "web", StickyOptions? options = null, int from = 1,
        System.Collections.Immutable.ImmutableArray<Backend>? backends = null)
    {
        Assert.That(SigningKeys.TryParse(keys, "keys", out var parsed, out _), Is.True);
        var all = backends ?? SomeBackends.Make(3);
        var named = new ClusterOptions
        {
            Name = cluster,
            Backends =
            [
                .. all.Select((_, index) => new BackendOptions
                {
                    Address = Address.Tcp($"10.0.0.{from + index}", 80),
                    Name = $"web-{from + index}",
                }),
            ],
        };
        return new(named, options ?? StickyOptions.Default, parsed!, all);
    }

    private static StickySession Find(StickyTable table, string fields, long now = Now)
        => table.Find(HttpText.Request($"GET / HTTP/1.1\r\nHost: x\r\n{fields}\r\n").Fields, now);

    private static string Line(StickyTable table, int index, long now = Now, bool isTls = false)
    {
        var line = new byte[StickyTable.LineBytesMax];
        return HttpText.Text(line.AsSpan(0, table.WriteLine(index, now, isTls, line)));
    }

    private static string Cookie(StickyTable table, int index, long now = Now)
        => Line(table, index, now)["Set-Cookie: ".Length..].Split(';')[0];
}
