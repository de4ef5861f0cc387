#!/usr/bin/python3
"""Makes status_page.png: the page at / of a server that classifies an electrocardiogram, first as it is, then louder.

Usage: docs/images/make_status_page.py [BUILD_FOLDER] (default: build/release)

Needs Debian's package chromium, and the programs built (scripts/run --exit-after-demo builds them).
"""

import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import numpy

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "release")
RECORDING = ROOT / "tests" / "data" / "ecg" / "ecg_360hz.npy"
GAIN = 1.5  # of the last part: enough for the drift to be seen
SECONDS = 25  # of traffic before the picture
WIDTH, HEIGHT = 900, 520


class Browser:
    """Chromium without a screen, spoken to over a pipe: its messages are JSON that ends with a zero byte."""

    def __init__(self, profile):
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()

        def connect():
            # The numbers that the browser expects; first out of their way.
            high = [os.dup2(commands, 100), os.dup2(answers, 101)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        name = shutil.which("chromium")
        if name is None:
            raise SystemExit("needs Debian's package chromium")
        self.process = subprocess.Popen(
            [name, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
             f"--user-data-dir={profile}", f"--window-size={WIDTH},{HEIGHT}", "about:blank"],
            close_fds=False, preexec_fn=connect, stderr=subprocess.DEVNULL)
        self.buffer, self.number = b"", 0

    def call(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.buffer:
                self.buffer += os.read(self.answers, 1 << 20)
            answer, self.buffer = self.buffer.split(b"\0", 1)
            answer = json.loads(answer)
            if answer.get("id") == self.number:
                return answer["result"]


def serve():
    server = subprocess.Popen(
        [BUILD / "bin" / "stillwave-server", "--grpc_address=127.0.0.1:0", "--http_address=127.0.0.1:0",
         "--drift_sample_rate=1"], stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        serving = re.search(r" serving .*grpc_address=(\S+) http_address=(\S+)", line)
        if serving:
            threading.Thread(target=server.stderr.read, daemon=True).start()
            return server, serving.group(1), serving.group(2)
    raise SystemExit("the server did not start")


def main():
    with tempfile.TemporaryDirectory() as folder:
        louder = os.path.join(folder, "louder.npy")
        numpy.save(louder, (numpy.load(RECORDING) * GAIN).astype(numpy.float32))
        server, grpc, http = serve()
        client = [BUILD / "bin" / "stillwave", "--server", grpc]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        # The minute that the model was not trained on.
        common = ["--from", "86400", "--window", "128", "--rate", "360"]
        subprocess.run([*client, "stream", RECORDING, *common, "--hop", "90"], check=True, **quiet)
        traffic = [
            subprocess.Popen([*client, "stream", louder, *common, "--hop", "8", "--realtime"], **quiet),
            subprocess.Popen([*client, "bench", louder, "--window", "128", "--rate", "150", "--duration", str(2 * SECONDS)],
                             **quiet),
        ]
        browser = Browser(os.path.join(folder, "profile"))
        target = browser.call("Target.createTarget", url=f"http://{http}/")["targetId"]
        session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        browser.call("Emulation.setDeviceMetricsOverride", session=session, width=WIDTH, height=HEIGHT,
                     deviceScaleFactor=1, mobile=False)
        time.sleep(SECONDS)
        picture = browser.call("Page.captureScreenshot", session=session, format="png")
        (HERE / "status_page.png").write_bytes(base64.b64decode(picture["data"]))
        for process in [*traffic, browser.process, server]:
            process.terminate()
            process.wait()
    print(HERE / "status_page.png")


if __name__ == "__main__":
    main()
