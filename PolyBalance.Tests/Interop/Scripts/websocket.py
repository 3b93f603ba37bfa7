# A WebSocket client by hand (RFC 6455) over a plain socket. Arguments: host, port. The last line is `ok`.
import base64
import hashlib
import os
import socket
import struct
import sys

host, port = sys.argv[1], int(sys.argv[2])
stream = socket.create_connection((host, port), timeout=60)
reader = stream.makefile("rb")

key = base64.b64encode(os.urandom(16)).decode()
first = os.urandom(4)


def frame(opcode, content):
    mask = os.urandom(4)
    length = len(content)
    head = bytes([0x80 | opcode])
    if length < 126:
        head += bytes([0x80 | length])
    elif length < 65536:
        head += bytes([0x80 | 126]) + struct.pack(">H", length)
    else:
        head += bytes([0x80 | 127]) + struct.pack(">Q", length)
    repeated = (mask * (length // 4 + 1))[:length]
    masked = (int.from_bytes(content, "big") ^ int.from_bytes(repeated, "big")).to_bytes(length, "big")
    return head + mask + masked


def read_frame():
    first_byte, length = reader.read(2)
    if length == 126:
        length, = struct.unpack(">H", reader.read(2))
    elif length == 127:
        length, = struct.unpack(">Q", reader.read(8))
    return first_byte & 0x0F, reader.read(length)


# The first frame goes with the handshake, in one segment: whoever switches must not lose what follows the head.
stream.sendall((
    "GET /socket HTTP/1.1\r\n"
    f"Host: {host}:{port}\r\n"
    "Upgrade: websocket\r\n"
    "Connection: keep-alive, Upgrade\r\n"
    f"Sec-WebSocket-Key: {key}\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\n").encode() + frame(2, first))

status = reader.readline()
assert status.startswith(b"HTTP/1.1 101 "), status
fields = {}
while (line := reader.readline()) != b"\r\n":
    name, value = line.decode().split(":", 1)
    fields[name.lower()] = value.strip()
accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
assert fields["sec-websocket-accept"] == accept, fields
assert fields["upgrade"].lower() == "websocket" and "upgrade" in fields["connection"].lower(), fields
assert read_frame() == (2, first)

for length in (0, 1, 125, 126, 65_535, 65_536, 3_000_000):
    content = os.urandom(length)
    stream.sendall(frame(2, content))
    opcode, echoed = read_frame()
    assert opcode == 2 and echoed == content, length

stream.sendall(frame(9, b"are you there"))
assert read_frame() == (10, b"are you there")

stream.sendall(frame(8, struct.pack(">H", 1000)))
assert read_frame() == (8, struct.pack(">H", 1000))
assert reader.read() == b"", "the tunnel ends with the connection"
print("ok")
