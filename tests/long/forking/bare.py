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


def _child(delivery, answers, mine, number):
    """Send, and end."""
    for ask in mine:
        _write(answers, answering.send(delivery, ask))
    if number % 2:
        os._exit(0)
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


def main():
    """Send and fork."""
    # Python 3.12 and later say that a fork with threads may hang; that it does not is what is shown.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    asks = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]
    answers = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    forks = int(sys.argv[3])
    answering.listen()
    delivery = load(os.environ["AUTHMAIL_FILE"])
    # Neighbours are often the same mail: they go to a thread of the parent and to children.
    for_threads, for_children = asks[::3], [ask for place, ask in enumerate(asks) if place % 3]
    turn, forked = iter(for_threads), threading.Event()
    lock = threading.Lock()
    pace = threading.Semaphore(0)

    def work():
        while True:
            if not forked.is_set():
                pace.acquire(timeout=0.5)
            with lock:
                ask = next(turn, None)
            if ask is None:
                return
            _write(answers, answering.send(delivery, ask))

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    children, lost = {}, 0
    for number in range(forks):
        for _ in range(-(-len(for_threads) // forks)):
            pace.release()
        mine = for_children[number * len(for_children) // forks : (number + 1) * len(for_children) // forks]
        child = os.fork()
        if not child:
            _child(delivery, answers, mine, number)
        children[child] = time.monotonic()
        lost += _reap(children, CHILDREN)
    forked.set()
    lost += _reap(children, 1)
    for thread in threads:
        thread.join()
    delivery.close()
    print(json.dumps({"lost": lost}))


if __name__ == "__main__":
    main()
