"""docs/benchmarks.md: a section for each benchmark, between markers, so that each is written without touching the others."""

import pathlib

TITLE = "# Benchmarks\n\nWritten by `scripts/bench`: run it again rather than edit this.\n"


def markers(name):
    return f"<!-- scripts/bench {name}: begin -->\n", f"<!-- scripts/bench {name}: end -->\n"


def write_section(path, name, text):
    """Replaces the section, or adds it at the end."""
    path = pathlib.Path(path)
    begin, end = markers(name)
    document = path.read_text() if path.exists() else TITLE
    before, found, rest = document.partition(begin)
    _, closed, after = rest.partition(end)
    if found and not closed:
        raise SystemExit(f"{path} has the line '{begin.strip()}' but not '{end.strip()}'")
    if not found:
        before, after = document.rstrip("\n") + "\n\n", ""
    path.write_text(before + begin + text.rstrip("\n") + "\n" + end + after)
