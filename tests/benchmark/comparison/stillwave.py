"""Stillwave's side of the comparison: the program stillwave-benchmark."""

import json
import subprocess


class Refused(Exception):
    """The engine does not take this model; the text says why."""


def last_line(text):
    lines = text.strip().splitlines()
    return lines[-1].removeprefix("stillwave-benchmark: ") if lines else "no reason was given"


def run_json(program, arguments):
    """The program's JSON answer. Refused when it fails."""
    done = subprocess.run([program, *arguments, "--json"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Refused(last_line(done.stderr))
    return json.loads(done.stdout)


class Rounds:
    """A loaded model that measures when it is asked to."""

    def __init__(self, program, case, batch_norm):
        command = [program, "rounds", "--model", str(case.path), "--batchnorm", batch_norm, *case.length_flags()]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.load_ms = self.answer()["load_ms"]

    def answer(self):
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        _, errors = self.process.communicate()
        raise Refused(last_line(errors))

    def measure(self, batch, seconds):
        """Medians in microseconds: {"cpu": …, "wall": …}."""
        try:
            self.process.stdin.write(f"{batch} {seconds}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the answer says why
        answer = self.answer()
        return {"cpu": answer["cpu_us"]["median"], "wall": answer["wall_us"]["median"]}

    def close(self):
        if self.process.poll() is None:
            self.process.communicate()
