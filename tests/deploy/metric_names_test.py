"""Every metric that the alert rules and the dashboard name is one that the server has."""
import re
import unittest

import monitoring

METRICS = monitoring.ROOT / "server" / "metrics"
SUFFIXES = ("", "_bucket", "_sum", "_count")


def sources():
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(METRICS.glob("*.cc")))


def declared():
    """Counters and gauges get the prefix where they are registered; histograms have it."""
    text = sources()
    names = {f"stillwave_{name}" for name in re.findall(r'Add(?:Counter|Gauge)\(\s*"(\w+)"', text)}
    names |= set(re.findall(r'"(stillwave_\w+_\w+|process_\w+)"', text))
    return names


def named(text):
    return set(re.findall(r"\b(?:stillwave|process)_\w+\b(?!-)", text))


def unknown(text):
    known = declared()
    return {name for name in named(text)
            if not any(name.endswith(suffix) and name[:len(name) - len(suffix)] in known for suffix in SUFFIXES)}


class MetricNames(unittest.TestCase):
    def test_the_sources_declare_what_the_server_shows(self):
        for name in ("stillwave_requests_total", "stillwave_request_duration_seconds", "stillwave_streams",
                     "process_resident_memory_bytes"):
            self.assertIn(name, declared())

    def test_alert_rules_name_metrics_of_the_server(self):
        text = monitoring.RULES.read_text(encoding="utf-8")
        self.assertGreater(len(named(text)), 15)
        self.assertEqual(unknown(text), set())

    def test_the_dashboard_names_metrics_of_the_server(self):
        text = "\n".join(monitoring.expressions().values())
        self.assertGreater(len(named(text)), 25)
        self.assertEqual(unknown(text), set())

    def test_values_of_reasons_and_results_are_those_that_the_server_writes(self):
        text = monitoring.RULES.read_text(encoding="utf-8") + "\n".join(monitoring.expressions().values())
        written = set(re.findall(r'"(\w+)"', sources()))
        for label, values in re.findall(r'\b(reason|result)=~?"([^"]+)"', text):
            self.assertEqual(set(values.split("|")) - written, set(), label)


if __name__ == "__main__":
    unittest.main(verbosity=2)
