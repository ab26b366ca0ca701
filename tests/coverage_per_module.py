"""Prints how much of each module `coverage run` has executed, lowest first; exits 1 when a module is below the floor.

Every module on disk counts, also one that no test has imported.
"""

import sys
from pathlib import Path

from coverage import Coverage

FLOOR = 80.0
"""The least percentage of a module's statements that in-process tests must execute."""


def executed(measured: Coverage, folders: tuple[Path, ...]) -> dict[str, float]:
    """Return the percentage of executed statements by module; a module without statements has 100."""
    modules = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return {str(path): _percentage(measured, path) for path in modules}


def _percentage(measured: Coverage, path: Path) -> float:
    _, statements, _, missing, _ = measured.analysis2(str(path))
    return 100.0 if not statements else 100.0 * (len(statements) - len(missing)) / len(statements)


def report(percentages: dict[str, float]) -> tuple[str, bool]:
    """Return one line for each module, lowest first, with a last line that names those below the floor, and if any."""
    ranked = sorted(percentages.items(), key=lambda item: (item[1], item[0]))
    lines = [f"{percentage:6.1f}%  {module}" for module, percentage in ranked]
    low = [module for module, percentage in ranked if percentage < FLOOR]
    lines.append(f"Below {FLOOR:g}%: {', '.join(low)}" if low else f"Every module is at {FLOOR:g}% or above.")
    return "\n".join(lines), bool(low)


def main() -> None:
    """Report on the sources that pyproject.toml names."""
    measured = Coverage()
    measured.load()
    folders = tuple(Path(source) for source in measured.get_option("run:source"))
    text, is_low = report(executed(measured, folders))
    sys.stdout.write(f"{text}\n")
    sys.exit(int(is_low))


if __name__ == "__main__":
    main()
