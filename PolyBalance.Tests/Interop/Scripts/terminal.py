"""A terminal for one program: `terminal.py COLUMNS LINES PROGRAM ARGUMENT...`.

Prints each picture that the program draws (from cursor home to the erasing of what is below) as one line, its lines
separated by ` | `. SIGUSR1 presses the key q. The last line says how the program ended and how it left the terminal.
"""
import codecs
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios

COLUMNS, LINES = int(sys.argv[1]), int(sys.argv[2])
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]")

child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    os.environ["TERM"] = "xterm-256color"
    os.execvp(sys.argv[3], sys.argv[3:])

signal.signal(signal.SIGUSR1, lambda *_: os.write(terminal, b"q"))
print(f"child {child}", flush=True)
decoder = codecs.getincrementaldecoder("utf-8")()
seen = ""
pending = ""
while True:
    try:
        read = os.read(terminal, 65536)
    except OSError:     # the other end is closed
        break
    if not read:
        break
    text = decoder.decode(read)
    seen = (seen + text)[-4096:]
    pending += text
    while "\x1b[J" in pending:
        picture, pending = pending.split("\x1b[J", 1)
        picture = picture.rsplit("\x1b[H", 1)[-1]
        print("picture: " + CONTROL.sub("", picture).replace("\r", "").replace("\n", " | "), flush=True)

_, status = os.waitpid(child, 0)
is_former = seen.rfind("\x1b[?1049l") > seen.rfind("\x1b[?1049h")
is_shown = seen.rfind("\x1b[?25h") > seen.rfind("\x1b[?25l")
rest = CONTROL.sub("", seen[seen.rfind("\x1b[?1049l"):]).strip().replace("\r", "").replace("\n", " | ")
print(f"ended {os.waitstatus_to_exitcode(status)}, former screen {is_former}, cursor {is_shown}: {rest}", flush=True)
