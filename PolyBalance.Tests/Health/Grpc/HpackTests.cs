using System.Text;
using NUnit.Framework;
using PolyBalance.Health.Grpc;

namespace PolyBalance.Tests.Health.Grpc;

internal sealed class HpackTests
{
    // RFC 7541 appendix C.4: blocks of one connection.
    private static readonly (string Block, string Fields)[] Requests =
    [
        ("828684418cf1e3c2e5f23a6ba0ab90f4ff",
            ":method: GET|:scheme: http|:path: /|:authority: www.example.com"),
        ("828684be5886a8eb10649cbf",
            ":method: GET|:scheme: http|:path: /|:authority: www.example.com|cache-control: no-cache"),
        ("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
            ":method: GET|:scheme: https|:path: /index.html|:authority: www.example.com|custom-key: custom-value"),
    ];

    // RFC 7541 appendix C.3: the same without the Huffman code.
    private static readonly (string Block, string Fields)[] PlainRequests =
    [
        ("828684410f7777772e6578616d706c652e636f6d", Requests[0].Fields),
        ("828684be58086e6f2d6361636865", Requests[1].Fields),
        ("828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565", Requests[2].Fields),
    ];

    // RFC 7541 appendix C.6 behind a change of the table's size to 256, as its decoder is told to have.
    private static readonly (string Block, string Fields)[] Responses =
    [
        ("3fe101" + "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9"
            + "ae82ae43d3",
            ":status: 302|cache-control: private|date: Mon, 21 Oct 2013 20:13:21 GMT|"
            + "location: https://www.example.com"),
        ("4883640effc1c0bf",
            ":status: 307|cache-control: private|date: Mon, 21 Oct 2013 20:13:21 GMT|"
            + "location: https://www.example.com"),
        ("88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af2708"
            + "7f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
            ":status: 200|cache-control: private|date: Mon, 21 Oct 2013 20:13:22 GMT|"
            + "location: https://www.example.com|content-encoding: gzip|"
            + "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"),
    ];

    private static IEnumerable<(string Block, string Fields)[]> Examples => [Requests, PlainRequests, Responses];

    [TestCaseSource(nameof(Examples))]
    public void The_examples_of_the_standard_mean_what_it_says((string Block, string Fields)[] blocks)
    {
        var decoder = new HpackDecoder();
        foreach (var (block, expected) in blocks)
        {
            var fields = new List<HpackField>();
            Assert.That(decoder.TryDecode(Convert.FromHexString(block), fields));
            Assert.That(string.Join('|', fields.Select(Text)), Is.EqualTo(expected));
        }
    }

    [TestCase("80", TestName = "Index 0 is none")]
    [TestCase("be", TestName = "An index behind the tables is none")]
    [TestCase("ff", TestName = "A number that is cut off is none")]
    [TestCase("ffffffffffff7f", TestName = "A number without end is none")]
    [TestCase("400361", TestName = "A string that is cut off is none")]
    [TestCase("3fe21f", TestName = "A table above 4096 bytes was not agreed on")]
    [TestCase("8220", TestName = "The table's size changes before the fields only")]
    [TestCase("008161f0", TestName = "Padding that is no start of the end is none")]
    [TestCase("0081ff00", TestName = "Eight bits of padding are too many")]
    [TestCase("0084ffffffff00", TestName = "The end of the string is not written")]
    public void What_no_encoder_may_write_is_refused(string block)
        => Assert.That(new HpackDecoder().TryDecode(Convert.FromHexString(block), []), Is.False);

    [Test]
    public void Fields_that_grow_out_of_a_few_bytes_are_bounded()
    {
        // One large field in the table, and then a byte for each time it is meant.
        var block = new List<byte> { 0x40, 1, (byte)'a', 0x7F, 0x81, 0x1E };
        block.AddRange(new byte[0x7F + 0x81 - 0x80 + (0x1E << 7)]);
        block.AddRange(Enumerable.Repeat((byte)0xBE, 10));

        Assert.That(new HpackDecoder().TryDecode([.. block], []), Is.False);
    }

    [Test]
    public void No_bytes_make_it_throw()
    {
        var random = new Random(11);
        for (var round = 0; round < 20_000; round++)
        {
            var block = new byte[random.Next(40)];
            random.NextBytes(block);
            new HpackDecoder().TryDecode(block, []);
        }
    }

    private static string Text(HpackField field)
        => $"{Encoding.ASCII.GetString(field.Name)}: {Encoding.ASCII.GetString(field.Value)}";
}
