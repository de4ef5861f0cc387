import re
import unittest

import monitoring

monitoring.need_promtool()


class AlertRules(unittest.TestCase):
    def promtool(self, *arguments):
        status, output = monitoring.promtool(*arguments)
        self.assertEqual(status, 0, output)

    def test_the_rules_are_valid(self):
        self.promtool("check", "rules", monitoring.RULES)

    def test_the_scrape_configurations_are_valid(self):
        for name in ("scrape.yml", "scrape-kubernetes.yml"):
            self.promtool("check", "config", "--syntax-only", monitoring.RULES.parents[1] / name)

    def test_alerts_fire_when_they_should_and_not_before(self):
        self.assertGreater(len(monitoring.RULE_TESTS), 0)
        self.promtool("test", "rules", *monitoring.RULE_TESTS)

    def test_each_alert_is_seen_to_fire(self):
        alerts = set(re.findall(r"- alert: (\w+)", monitoring.RULES.read_text(encoding="utf-8")))
        tests = "".join(path.read_text(encoding="utf-8") for path in monitoring.RULE_TESTS)
        fired = set(re.findall(r"alertname: (\w+)\n +exp_alerts:\n +- exp_labels", tests))
        self.assertEqual(alerts - fired, set())

    def test_each_alert_is_explained(self):
        alerts = re.findall(r"- alert: (\w+)", monitoring.RULES.read_text(encoding="utf-8"))
        document = (monitoring.ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
        self.assertEqual([alert for alert in alerts if f"`{alert}`" not in document], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
