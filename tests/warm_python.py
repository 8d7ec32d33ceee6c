"""``python`` for tests: has the warm process do what it is asked, which saves the imports.

`tests.warm.Server` writes this file, with an interpreter in its first line, to ``bin/python``
beside its socket. It behaves as the process itself would: what that prints goes where this one's
output goes, signals are forwarded, and this one ends as that one does, killed ones included. If
this process is killed, so is the other. Whatever is neither a run of the program nor a worker of
pytest-xdist is left to Python.
"""

import contextlib
import json
import os
import signal
import socket
import sys

FORWARDED = ("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCONT")
PROGRAMS = ("symbotunes", "submitit")  # modules that may be run with ``-m``
SCRIPTS = ("main.py", "docs/runner.py", "cli/without_posix.py")  # ends of their paths
# What execnet starts a worker of pytest-xdist with.
WORKER = ["-c", "import sys;exec(eval(sys.stdin.readline()))"]


def main():
    words = sys.argv[1:]
    while words and words[0] in ("-u", "-P"):
        words = words[1:]
    address = os.environ.get("SYMBOTUNES_WARM")
    module = words[1].partition(".")[0] if words[:1] == ["-m"] and len(words) > 1 else ""
    is_script = bool(words) and words[0].endswith(SCRIPTS)
    if not address or not (module in PROGRAMS or is_script or words == WORKER):
        os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
    asked = [words, dict(os.environ), os.getcwd()]  # noqa: PTH109  (pathlib takes longer to import)
    request = json.dumps(asked).encode()
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("r") as answers:
        connection.connect(address)
        socket.send_fds(connection, [len(request).to_bytes(8, "big")], [0, 1, 2])
        connection.sendall(request)
        process = int(answers.readline())
        for name in FORWARDED:
            number = getattr(signal, name)
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda number, _: send(process, number))
        status = int(answers.readline())
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


def send(process, number):
    with contextlib.suppress(ProcessLookupError):  # it has just ended
        os.kill(process, number)


if __name__ == "__main__":
    main()
