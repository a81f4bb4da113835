"""A process whose threads send while it forks, and children that send too: ``python bare.py ASKS ANSWERS FORKS``.

ASKS is a file of JSON lines, which threads and children take in turn. Every second child ends without ceremony, the others through all that
Python does at its end.
"""

import json
import os
import signal
import sys
import threading
import time
import warnings
from pathlib import Path

from forking import answering

from authmail.delivery.sync import load

THREADS = 4
# After so many seconds a child hangs.
LONGEST = 30.0
# Together at once; more would only wait for the processor.
CHILDREN = 6


def _write(answers, line):
    os.write(answers, (json.dumps(line) + "\n").encode())


def _child(deliveries, answers, mine, number):
    """Send, and end."""
    for ask in mine:
        _write(answers, answering.send(deliveries, ask))
    if number % 2:
        os._exit(0)
    for delivery in deliveries:
        delivery.close()
    sys.exit(0)


def _reap(children, most):
    """Wait until there are fewer children than that; return how many hung or failed."""
    lost = 0
    while len(children) >= most:
        for child, began in list(children.items()):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                lost += bool(status)
                del children[child]
            elif time.monotonic() - began > LONGEST:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                lost += 1
                del children[child]
        time.sleep(0.002)
    return lost


class _Threads:
    """Threads of the parent, which send as the forks go on, and then what is left.

    Args:
        deliveries: they send through.
        answers: descriptor of the file of answers.
        asks: theirs.
    """

    def __init__(self, deliveries, answers, asks):
        self._deliveries, self._answers, self._turn = deliveries, answers, iter(asks)
        self._lock, self._pace, self._forked = threading.Lock(), threading.Semaphore(0), threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(THREADS)]
        for thread in self._threads:
            thread.start()

    def _work(self):
        while True:
            if not self._forked.is_set():
                self._pace.acquire(timeout=0.5)
            with self._lock:
                ask = next(self._turn, None)
            if ask is None:
                return
            _write(self._answers, answering.send(self._deliveries, ask))

    def go_on(self, number):
        """Let so many be sent."""
        for _ in range(number):
            self._pace.release()

    def end(self):
        """Wait for the rest."""
        self._forked.set()
        for thread in self._threads:
            thread.join()


def main():
    """Send and fork."""
    # Python 3.12 and later say that a fork with threads may hang; that it does not is what is shown.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    asks = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]
    answers = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    forks = int(sys.argv[3])
    answering.listen()
    deliveries = [load(file) for file in answering.files()]
    # Neighbours are often the same mail: they go to a thread of the parent and to children.
    for_threads, for_children = asks[::3], [ask for place, ask in enumerate(asks) if place % 3]
    threads = _Threads(deliveries, answers, for_threads)
    children, lost = {}, 0
    for number in range(forks):
        threads.go_on(-(-len(for_threads) // forks))
        mine = for_children[number * len(for_children) // forks : (number + 1) * len(for_children) // forks]
        child = os.fork()
        if not child:
            _child(deliveries, answers, mine, number)
        children[child] = time.monotonic()
        lost += _reap(children, CHILDREN)
    lost += _reap(children, 1)
    threads.end()
    for delivery in deliveries:
        delivery.close()
    print(json.dumps({"lost": lost}))


if __name__ == "__main__":
    main()
