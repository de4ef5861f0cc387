"""Servers under test and the load generator, all on the same cores."""

import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time


def choose_cores(count):
    """The first `count` of the cores that this process may use; all processes started from here get them."""
    cores = sorted(os.sched_getaffinity(0))[:count]
    os.sched_setaffinity(0, cores)
    return cores


class Server:
    """A server process with a line that tells its address. Use as a context."""

    def __init__(self, command, pattern):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = []
        found = None
        for line in self.process.stdout:
            self.lines.append(line)
            found = re.search(pattern, line)
            if found:
                break
        if not found:
            raise SystemExit(f"{command[0]} did not start:\n" + "".join(self.lines[-20:]))
        self.address = found.group(1)
        self.http_address = found.group(2) if found.re.groups > 1 else None
        # A full pipe would stop the server.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def rss_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s*(\d+) kB$", status, re.MULTILINE).group(1)) / 1024

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


    def cpu_seconds_at(self, nice):
        """Of the threads that have this priority: from most willing to run, -20, to 19."""
        nanoseconds = 0
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            if int((task / "stat").read_text().rpartition(")")[2].split()[16]) == nice:
                nanoseconds += int((task / "schedstat").read_text().split()[0])
        return nanoseconds / 1e9


def start_stillwave(bin_dir, *flags):
    command = [f"{bin_dir}/stillwave-server", "--grpc_address=127.0.0.1:0", "--http_address=127.0.0.1:0"]
    return Server([*command, *flags], r" serving .*grpc_address=(\S+).*http_address=(\S+)")


def start_echo(bin_dir, style, *flags):
    command = [f"{bin_dir}/stillwave-echo-server", "--style", style, *flags]
    return Server(command, r"listening on (\S+)")


class Load:
    """`stillwave bench`, started at once. `result()` waits for its last step."""

    def __init__(self, bin_dir, server, *flags):
        self.command = [f"{bin_dir}/stillwave", "bench", "--server", server.address, "--json", *map(str, flags)]
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def result(self):
        out, errors = self.process.communicate()
        if not out.strip():
            raise SystemExit(f"{' '.join(self.command)}: exit status {self.process.returncode}\n{errors}")
        return json.loads(out)["steps"][-1]

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.result()


def load(bin_dir, server, *flags):
    return Load(bin_dir, server, *flags).result()


class RssWatch:
    """The largest and the last memory of a server while the context is open."""

    def __init__(self, server):
        self.server = server
        self.largest = self.last = server.rss_mib()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.over.wait(0.1):
            self.last = self.server.rss_mib()
            self.largest = max(self.largest, self.last)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def wait_until_idle(server, seconds=0.2, patience=10):
    """Returns when the server has used less than 5 % of a core for a while."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        before = server.cpu_seconds()
        time.sleep(seconds)
        if server.cpu_seconds() - before < 0.05 * seconds:
            return
