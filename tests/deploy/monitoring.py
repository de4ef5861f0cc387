"""Where the files of deploy/ that speak of metrics lie, and what they say."""
import json
import pathlib
import re
import shutil
import subprocess
import sys

SKIPPED = 77  # tells ctest that the test did not run
ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rules" / "stillwave.yml"
RULE_TESTS = sorted((ROOT / "tests" / "deploy" / "alert_rules").glob("*.yml"))
DASHBOARD = ROOT / "deploy" / "grafana" / "stillwave.json"
# What Grafana puts in for its own variables.
GRAFANA = {"__rate_interval": "5m", "__range": "1h"}


def dashboard():
    return json.loads(DASHBOARD.read_text(encoding="utf-8"))


def expressions():
    """Each query of the dashboard, by "panel, letter"."""
    return {f"{panel['title']}, {target['refId']}": target["expr"]
            for panel in dashboard()["panels"] for target in panel.get("targets", [])}


def filled(expression):
    """With values for the variables: what Prometheus would be asked."""
    return re.sub(r"\$\{?(\w+)\}?", lambda found: GRAFANA.get(found.group(1), "x"), expression)


def need_promtool():
    """Ends the program as skipped where there is none."""
    if shutil.which("promtool") is None:
        print("skipped: promtool is missing; scripts/setup --test installs it")
        sys.exit(SKIPPED)


def promtool(*arguments):
    """(exit status, what it printed)"""
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr
