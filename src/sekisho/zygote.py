"""A process that imports the libraries once and forks a child per model: `python -m sekisho.zygote SOCKET`.

It opens no file of a model and hears nobody but its parent. A child closes everything the zygote has open before it
goes on as `sekisho.worker`, which gives up memory, network and subprocesses as it does in an interpreter of its own.
"""

import gc
import json
import os
import resource
import select
import signal
import socket
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Final, final

from sekisho import worker
from sekisho.models import confine

LINGER_MS: Final = 5_000
"""How long the children of a parent that is gone may take to clear up."""
MESSAGE: Final = 65_536


@final
class Zygote:
    """Forks on request, reaps, and tells each child's exit status down the child's own pipe."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._poll = select.poll()
        self._children: dict[int, tuple[int, int]] = {}
        """pidfd -> (pid, where its status goes)."""

    def serve(self) -> None:
        """Serve until the parent hangs up and the last child has ended."""
        line = self._control.fileno()
        self._poll.register(line, select.POLLIN)
        parent = True
        while parent or self._children:
            events = self._poll.poll(None if parent else LINGER_MS)
            if not events:
                return
            for file, _ in events:
                if file != line:
                    self._reap(file)
                elif not self._request():
                    self._poll.unregister(line)
                    parent = False

    def _request(self) -> bool:
        message, files, _, _ = socket.recv_fds(self._control, MESSAGE, 4)
        if not message:
            return False
        request = json.loads(message)
        if "kill" in request:
            if request["kill"] in (pid for pid, _ in self._children.values()):
                os.kill(request["kill"], signal.SIGKILL)  # not reaped yet, so the number is still its own
        else:
            self._fork(request["fork"], files)
        return True

    def _fork(self, folder: str, files: list[int]) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _become_worker(folder, files[:3], parent)
        for file in files[:3]:
            os.close(file)
        pidfd = os.pidfd_open(pid)
        self._children[pidfd] = pid, files[3]
        self._poll.register(pidfd, select.POLLIN)
        _tell(files[3], pid)

    def _reap(self, pidfd: int) -> None:
        pid, status = self._children.pop(pidfd)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        _tell(status, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        os.close(status)


def _tell(file: int, number: int) -> None:
    try:
        os.write(file, b"%d\n" % number)
    except OSError:
        return  # nobody waits for it any more


def _become_worker(folder: str, files: list[int], parent: int) -> None:
    """Go on as the worker of one model; never returns."""
    code = 1
    try:
        os.setsid()
        for target, file in enumerate(files):
            os.dup2(file, target)
        os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        os.environ["TMPDIR"] = folder
        tempfile.tempdir = None
        sys.argv = ["sekisho.worker", folder]
        gc.enable()
        worker.serve(folder, outlived_by=parent)
        code = 0
    except BaseException:  # noqa: BLE001  the end of a process, told as an interpreter tells it
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _preload() -> None:
    """Import what every model needs, and no more: nothing here reads a model or starts a thread."""
    import accelerate  # noqa: F401
    import peft  # noqa: F401
    import torch  # noqa: F401
    from transformers import (  # noqa: F401
        AutoModelForCausalLM,
        AutoTokenizer,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

    import sekisho.drills.train
    import sekisho.models.decoding  # noqa: F401


def main() -> None:
    """Import, then serve; with a second thread a fork would not be safe, and the parent starts interpreters."""
    control = socket.socket(fileno=int(sys.argv[1]))
    os.close(os.pidfd_open(os.getpid()))  # a kernel without them ends the zygote here
    confine.leave_out()
    _preload()
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        sys.exit(1)
    gc.collect()
    gc.disable()
    gc.freeze()
    Zygote(control).serve()


if __name__ == "__main__":
    main()
