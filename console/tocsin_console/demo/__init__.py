"""The story that ``make demo`` tells: a real model decays, and everything that notices is the shipped product."""

from pathlib import Path

DEFAULT_SEED = 24  # any tells the story; this one neither flatters nor hurts the label-free estimate


def run(
    *,
    once: bool = False,
    json_path: Path | None = None,
    decay: bool = True,
    data_dir: Path | None = None,
    seed: int = DEFAULT_SEED,
    decay_days: int = 60,
    recovery_days: int = 16,
) -> int:
    """Tell the story once.

    Args:
        once: End with the story instead of leaving tocsin up to look around in.
        json_path: Where to write the figures.
        decay: Whether the scanners wear out; without, nobody must be told anything.
        data_dir: An empty folder to work in and to keep; without, a temporary one.
        seed: Of everything random in the service.
        decay_days: How long the scanners take to wear out.
        recovery_days: How long it goes on with new ones.

    Returns:
        0 when the story happened as promised, 1 when not (the reason is printed), 130 when somebody ended it.
    """
    from tocsin_console.demo.driver import Options, tell  # the service imports this package without the driver's parts

    return tell(
        Options(
            once=once,
            json_path=json_path,
            decay=decay,
            data_dir=data_dir,
            seed=seed,
            decay_days=decay_days,
            recovery_days=recovery_days,
        )
    )
