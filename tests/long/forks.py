"""Sends through servers that fork, and judges by the provider's ledger: ``python tests/long/forks.py``; nothing leaves this machine."""

import click
from forking.runs import KINDS, run

from authmail.cli.output import print_json, print_table

COLUMNS = (
    "asked", "processes", "kills", "forks", "mails", "accepted", "limited", "unknown", "twice", "over limit", "uncounted", "hangs",
    "longest",
)  # fmt: skip


@click.command()
@click.option("--asks", "number", default=2000, show_default=True, help="Requests to each server.")
@click.option("--forks", default=500, show_default=True, help="Bare forks.")
@click.option("--kills", default=10, show_default=True, help="Workers killed in a second run of each server; 0: no such run.")
@click.option("--workers", default=4, show_default=True, help="Processes of each server.")
@click.option("--seed", default=1, show_default=True, help="The same seed is the same order.")
@click.option("--only", multiple=True, type=click.Choice(KINDS), help="Only this kind; again for more.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(number: int, forks: int, kills: int, workers: int, seed: int, only: tuple[str, ...], as_json: bool) -> None:
    """Prove that forks, workers and kills send nothing twice, count everything and hold up nobody."""
    results = {}
    for kind in only or KINDS:
        bare = kind == "bare forks"
        # With its broker in a folder celery stopped handing out tasks after some kills, also without authmail.
        for killed in (0, kills) if kills and not bare and "celery" not in kind else (0,):
            name = f"{kind}, workers killed" if killed else kind
            with click.progressbar(length=number, label=f"{name:<36}", hidden=as_json) as bar:
                results[name] = run(
                    kind,
                    number=number,
                    workers=workers,
                    kills=killed,
                    forks=forks if bare else 0,
                    seed=seed,
                    progress=bar.update,
                )
    broken = {name: figures["broken"] for name, figures in results.items() if figures["broken"]}
    if as_json:
        print_json(results)
    else:
        print_table([("", *COLUMNS), *((name, *(str(figures[what]) for what in COLUMNS)) for name, figures in results.items())])
        for name, what in broken.items():
            click.echo(f"broken, {name}: {what}")
    if broken:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
