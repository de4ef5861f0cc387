"""The dashboard as Grafana's provisioning reads it: whole, without overlaps, every query one that Prometheus takes."""
import json
import re
import shutil
import tempfile
import unittest

import monitoring

BUILT_IN = set(monitoring.GRAFANA) | {"__all"}


class Dashboard(unittest.TestCase):
    def setUp(self):
        self.dashboard = monitoring.dashboard()
        self.panels = self.dashboard["panels"]

    def test_identifiers_are_unique_and_none_belongs_to_one_grafana(self):
        identifiers = [panel["id"] for panel in self.panels]
        self.assertEqual(len(identifiers), len(set(identifiers)))
        self.assertNotIn("id", self.dashboard)
        self.assertEqual(self.dashboard["uid"], "stillwave")

    def test_panels_do_not_overlap_and_stay_within_24_columns(self):
        taken = {}
        for panel in self.panels:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    self.assertNotIn((x, y), taken, f"{panel['title']} and {taken.get((x, y))}")
                    taken[x, y] = panel["title"]

    def test_data_comes_from_the_variable_data_source(self):
        sources = set(re.findall(r'"uid": "([^"]+)"', json.dumps(self.panels + self.dashboard["templating"]["list"])))
        self.assertEqual(sources, {"${datasource}"})

    def test_variables_are_defined(self):
        defined = {variable["name"] for variable in self.dashboard["templating"]["list"]}
        used = set(re.findall(r"\$\{?(\w+)\}?", json.dumps(self.dashboard)))
        self.assertEqual(used - defined - BUILT_IN, set())
        self.assertEqual(defined - used, set())

    def test_prometheus_takes_every_query(self):
        if shutil.which("promtool") is None:
            self.skipTest("promtool is missing; scripts/setup --test installs it")
        queries = monitoring.expressions()
        rules = [{"record": f"query:{number}", "expr": monitoring.filled(expression), "labels": {"panel": where}}
                 for number, (where, expression) in enumerate(queries.items())]
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)  # JSON is YAML
            file.flush()
            status, output = monitoring.promtool("check", "rules", file.name)
        self.assertEqual(status, 0, output)
        self.assertIn(f"{len(queries)} rules found", output)


if __name__ == "__main__":
    unittest.main(verbosity=2)
