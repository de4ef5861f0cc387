"""The status page of the real server in a real browser, without a screen.

Usage: status_page_test.py SERVER MODEL [unittest arguments]
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request

SKIPPED = 77  # tells ctest that the test did not run

SERVER, MODEL = sys.argv[1:3]
del sys.argv[1:3]
PATIENCE = 120  # seconds, after which what hangs fails

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
if BROWSER is None:
    print("skipped: no Chromium; Debian's package chromium has it")
    sys.exit(SKIPPED)


class StatusPageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        for name, version in (("seed_block", "1"), ("broken", "3")):
            os.makedirs(os.path.join(cls.folder.name, "models", name, version))
        shutil.copy(MODEL, os.path.join(cls.folder.name, "models", "seed_block", "1", "model.onnx"))
        with open(os.path.join(cls.folder.name, "models", "broken", "3", "model.onnx"), "wb") as file:
            file.write(b"this is no model")
        cls.server = subprocess.Popen(
            [SERVER, "--model_repository=" + os.path.join(cls.folder.name, "models"), "--grpc_address=127.0.0.1:0",
             "--http_address=127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.server.stderr.close)
        cls.addClassCleanup(cls.server.wait)
        cls.addClassCleanup(cls.server.terminate)
        for line in cls.server.stderr:
            serving = re.search(r" serving .*http_address=(\S+)", line)
            if serving:
                cls.url = f"http://{serving.group(1)}"
                return
        raise AssertionError("the server ended before it was ready")

    def draw(self, width):
        """The page's text after its scripts have run, in a window of that many pixels."""
        with tempfile.TemporaryDirectory() as profile:
            drawn = subprocess.run(
                [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--user-data-dir=" + profile, f"--window-size={width},900", "--virtual-time-budget=7000",
                 "--dump-dom", self.url + "/"],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=PATIENCE, check=True)
        return drawn.stdout

    def test_shows_what_is_served_and_what_was_refused_and_why(self):
        for width in (390, 1200):
            with self.subTest(width=width):
                page = self.draw(width)
                self.assertRegex(page, r'id="ready"[^>]*>● ready<')
                self.assertRegex(page, r"<h2>seed_block</h2>\s*<span[^>]*>● ready</span>")
                self.assertIn("version 1, fp32, batchnorm primitive", page)
                self.assertRegex(page, r"<h2>broken</h2>\s*<span[^>]*>● unavailable</span>")
                self.assertIn("this is not a whole ONNX model", page)  # why it was refused
                self.assertRegex(page, r"up \d+ s, [\d.]+ cores, \d+ MiB resident, streams open: 0")
                self.assertRegex(page, r'data-updates="[2-9]"')

    def test_needs_nothing_from_elsewhere(self):
        with urllib.request.urlopen(self.url + "/", timeout=PATIENCE) as response:
            page = response.read().decode()
        self.assertEqual(re.findall(r"""(?:src|href)\s*=\s*["']?(?!data:|metrics")[^"'>\s]+""", page), [])
        self.assertEqual(re.findall(r"""(?:fetch|import|url)\((?!'(?:metrics|status\.json|readyz)')[^)]*\)""", page), [])
        self.assertEqual(re.findall(r"https?://(?!www\.w3\.org/2000/svg)", page), [])


if __name__ == "__main__":
    unittest.main()
