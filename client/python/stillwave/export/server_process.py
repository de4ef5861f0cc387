"""A stillwave-server of our own on a repository, on ports of the system's choice."""
import re
import subprocess
import threading

from stillwave.export.errors import ExportError


class ServerProcess:
    """Runs while it is entered: `with ServerProcess(program, folder) as server: server.address`."""

    def __init__(self, program, repository, *flags):
        self._command = [str(program), f"--model_repository={repository}", "--grpc_address=127.0.0.1:0",
                         "--http_address=127.0.0.1:0", "--log_format=text", "--log_level=info", *flags]
        self.address = None

    def __enter__(self):
        try:
            self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                             text=True, errors="replace")
        except OSError as error:
            raise ExportError(f"verify must be 'none', HOST:PORT or a stillwave-server program; {self._command[0]}: "
                              f"{error.strerror}") from error
        lines = []
        for line in self._process.stderr:
            lines.append(line.rstrip())
            found = re.search(r"\bserving\b.*\bgrpc_address=(\S+)", line)
            if found:
                self.address = found.group(1)
                break
        if self.address is None:
            self._process.wait()
            self._process.stderr.close()
            raise ExportError(f"{self._command[0]} did not start: {lines[-1] if lines else 'it said nothing'}")
        # Its log must not fill the pipe.
        self._reader = threading.Thread(target=lambda: [None for _ in self._process.stderr])
        self._reader.start()
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        self._process.stderr.close()
