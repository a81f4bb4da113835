"""Makes connectors for the kit to judge, as if they were installed: a good one, and bad ones that differ from it in some lines.

A good one is a folder beside this file. Over HTTP it is `acme`, a connector of hooks, so that every line of it can be made wrong;
over SMTP it is `relay`.
"""

import asyncio
import gc
import itertools
import json
import subprocess
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import attrs

from authmail.testing import faults
from authmail.testing.case import Case
from authmail.testing.judging import broken_rules
from authmail.testing.rules import rules

# One of each kind: core's own tests show the transport all of them.
FAULTS = tuple(
    fault
    for fault in faults.FAULTS
    if fault.name in ("connection refused", "closed after the request", "garbage", "a page of a proxy", "chunks")
)
# So many at once: most of their time is waiting.
AT_ONCE = 16
# As the kit does it, in a process that has imported authmail once, for each connector a child of it. What core loads for any
# connector is loaded before.
PROBES = """
import json, os, sys
asked = json.load(sys.stdin)
sys.path[:0] = asked[0]["path"]
import authmail
from authmail.testing.import_probe import probe
known = authmail.get_connector("resend-mail")
known.metadata.to_dict()
known.validate_config({"apiKey": "re_canary_key_1", "from": "a@example.com"}, templates=True)
for number, one in enumerate(asked):
    child = os.fork()
    if child == 0:
        with open(f"{sys.argv[1]}/{number}", "w") as file:
            answer = json.dumps(probe(one))
            file.write(answer)
        os._exit(0)
    os.waitpid(child, 0)
"""


@attrs.frozen
class Model:
    """A good connector: its folder, and what its test class would declare."""

    name: str
    case: dict[str, object]

    def files(self):
        """Return path → text: authmail_acme/… and exchanges/…."""
        folder = Path(__file__).parent / self.name
        return {str(file.relative_to(folder)).removesuffix(".txt"): file.read_text("utf-8") for file in folder.rglob("*.txt")}


ACME = Model(
    "acme",
    {
        "declared": {"apiKey": "key-canary-1", "fromEmail": "Acme <no-reply@mail.example.com>"},
        "faults": FAULTS,
        "repeats_safely": True,
        "config_for": lambda url: {"endpoint": url},
    },
)
RELAY = Model(
    "relay",
    {
        "kind": "smtp",
        "declared": {
            "host": "smtp.example.com",
            "port": 587,
            "user": "acme",
            "password": "password-canary-1",
            "fromEmail": "Acme <no-reply@mail.example.com>",
        },
        "config_for": lambda url: {"host": urlsplit(url).hostname, "port": urlsplit(url).port},
        "leaves_out": {"idempotency-key": "SMTP knows none"},
        "not_recorded": {"Throttled": "the relay never says so"},
    },
)


@attrs.frozen
class Bad:
    """A wrong connector: what is wrong, the rule that must notice it, and (file, text, other text) for each change."""

    what: str
    rule: str
    changes: tuple[tuple[str, str, str], ...] = ()
    case: dict[str, object] = attrs.field(factory=dict)
    without: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.what


def bad(what, rule, *changes, without=(), **case):
    return Bad(what, rule, changes, case, without)


# Of all that are made in a process: authmail loads each name once.
_NUMBERS = itertools.count(1)


class Workshop:
    """Makes connectors without pip: packages in a folder on the path, with their entry points, all of one distribution."""

    def __init__(self, root, model):
        self.root = root
        self.model = model
        self.packages = {}

    def case(self, changes=(), without=(), **declared):
        number = next(_NUMBERS)
        own = f"authmail_{self.model.name}"
        package, identity = f"{own}{number}", f"{self.model.name}-mail{number}"
        files = self.model.files()
        for name, old, new in changes:
            path = name if name.startswith("exchanges/") else f"{own}/{name}"
            assert old in files[path], (name, old)
            files[path] = files[path].replace(old, new)
        exchanges = self.root / f"exchanges{number}"
        for path, text in files.items():
            if path.startswith(own):
                file = self.root / package / path.partition("/")[2]
                self.write(file, text.replace(f"{self.model.name}-mail", identity).replace(own, package))
            elif Path(path).stem not in ("accepted-with-everything", *without):
                self.write(exchanges / Path(path).name, text)
        self.packages[identity] = package
        return Case(name=identity, folder=exchanges, **self.model.case | declared)

    def install(self):
        """Let them be found."""
        information = self.root / f"authmail_{self.model.name}s-1.dist-info"
        self.write(information / "METADATA", f"Metadata-Version: 2.1\nName: authmail_{self.model.name}s\nVersion: 1\n")
        points = "".join(f"{identity} = {package}\n" for identity, package in self.packages.items())
        self.write(information / "entry_points.txt", f"[authmail.connectors]\n{points}")

    def close(self):
        """End what bad ones left open, each in a list or dictionary of its module, here and not when the process ends."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            for name, module in list(sys.modules.items()):
                if name.partition(".")[0] in self.packages.values():
                    for kept, held in list(vars(module).items()):
                        if kept.isupper() and isinstance(held, list | dict | set):
                            held.clear()
            gc.collect()

    @staticmethod
    def write(file, text):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")


def probe(cases, folder):
    """Look what each does while it is imported, in children of one process, as the kit does it in a process for each."""
    path = [entry for entry in sys.path if entry]
    asked = [{"id": case.name, "config": case.config, "path": path} for case in cases]
    subprocess.run([sys.executable, "-c", PROBES, str(folder)], input=json.dumps(asked), text=True, check=True, timeout=120)
    for number, case in enumerate(cases):
        case._known["import"] = json.loads((folder / str(number)).read_text("utf-8"))


async def judge(cases):
    """Return what each case breaks, in a dictionary like the one given."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(case):
        async with gate:
            return await broken_rules(case)

    return dict(zip(cases, await asyncio.gather(*map(one, cases.values())), strict=True))


@contextmanager
def judged(model, wrong, folders):
    """Yield what the good connector (``good``) and each bad one breaks."""
    root = folders.mktemp("connectors")
    workshop = Workshop(root, model)
    cases = {"good": workshop.case()}
    cases |= {bad.what: workshop.case(bad.changes, bad.without, **bad.case) for bad in wrong}
    workshop.install()
    sys.path.insert(0, str(root))
    try:
        probe(list(cases.values()), folders.mktemp("probed"))
        broken = asyncio.run(judge(cases))
        cases.clear()  # what they know holds connections of bad ones
        yield broken
        broken.clear()
    finally:
        sys.path.remove(str(root))
        workshop.close()


def breaks(broken, bad):
    """Assert that a bad connector breaks its rule and no other, and that the rule says so in order."""
    assert list(broken[bad.what]) == [bad.rule], broken[bad.what]
    told = rules()[bad.rule].explain(broken[bad.what][bad.rule])
    assert told.startswith(f"{bad.rule}: ")
    assert "\nWhat to do: " in told
