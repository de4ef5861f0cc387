"""What every comparison has around its measurements: flags, progress, where and how it was measured, the files it leaves."""

import argparse
import json
import pathlib
import time

import document
import machine

START = time.perf_counter()


def progress(text):
    print(f"[{time.perf_counter() - START:3.0f} s] {text}", flush=True)


def flags_for(description, **files):
    """A parser of the flags that all have, and of those for what is measured: each a flag with its help."""
    parser = argparse.ArgumentParser(description=description)
    for name, text in files.items():
        parser.add_argument(f"--{name}", required=True, help=text)
    parser.add_argument("--out", required=True, help="the document that has the tables, Markdown")
    parser.add_argument("--json", required=True, help="everything measured, JSON")
    parser.add_argument("--command", required=True, help="what the user typed, for the table")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    return parser.parse_args()


def setting_of_servers(flags, cores):
    """The outcome's head, of a comparison that starts servers from the folder --bin."""
    return {
        "command": flags.command,
        "cores": len(cores),
        "machine": machine.describe(f"{flags.bin}/stillwave-server"),
        "grpc": machine.package_version("libgrpc++-dev"),
    }


def leave(flags, name, outcome, text):
    """`text`: the section `name` of the document."""
    pathlib.Path(flags.json).write_text(json.dumps(outcome, indent=1))
    document.write_section(flags.out, name, text)
    progress(f"the tables are in {flags.out}, every figure in {flags.json}")
