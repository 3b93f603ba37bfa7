# Python's own HTTP client over one persistent connection: every kind of exchange, one after the other.
# Arguments: host, port. The last line is `ok` when everything was as it must be; anything else is a traceback.
import hashlib
import http.client
import json
import sys

host, port = sys.argv[1], int(sys.argv[2])
connection = http.client.HTTPConnection(host, port, timeout=60)
connection.connect()
local = connection.sock.getsockname()


def exchange(method, target, body=None, fields=None, chunked=False):
    connection.request(method, target, body=body, headers=fields or {}, encode_chunked=chunked)
    response = connection.getresponse()
    content = response.read()
    assert connection.sock is not None, f"{method} {target}: the connection was closed"
    assert connection.sock.getsockname() == local, f"{method} {target}: another connection"
    return response, content


def echoed(method, target, body=None, sent=b"", fields=None, chunked=False):
    response, content = exchange(method, target, body, fields, chunked)
    assert response.status == 200, (method, target, response.status, content)
    echo = json.loads(content)
    assert echo["method"] == method and echo["target"] == target, echo
    assert echo["length"] == len(sent), echo
    assert echo["sha256"] == hashlib.sha256(sent).hexdigest(), echo
    return echo


block = bytes(range(256)) * 400
for turn in range(50):
    echoed("GET", f"/echo?turn={turn}&q=%2F+a")
    echoed("POST", "/echo", body=block, sent=block)
    pieces = [block[:1], block[1:70_000], block[70_000:]]
    echo = echoed("POST", "/echo", body=iter(pieces), sent=block, chunked=True,
                  fields={"Transfer-Encoding": "chunked"})
    assert echo["fields"]["transfer-encoding"] == "chunked", echo
    echoed("PUT", "/echo", body=b"", fields={"Content-Length": "0"})
    echoed("DELETE", "/echo")
    echoed("PATCH", "/echo", body=b"{}", sent=b"{}")

    response, content = exchange("HEAD", "/echo")
    assert response.status == 200 and content == b"" and int(response.getheader("Content-Length")) > 0
    response, content = exchange("GET", "/chunked")
    assert response.getheader("Transfer-Encoding") == "chunked" and len(content) > 4_000
    response, content = exchange("OPTIONS", "*")
    assert response.status == 200 and json.loads(content)["target"] == "*", content

print("ok")
