# SPDX-License-Identifier: MIT
"""The alert rules by promtool, each with two agents: the one that has the fault is told, the other is not."""
import re
import subprocess

import pytest
import yaml

from program import ROOT

FILES = ROOT / "k8s" / "chart" / "files"
RUNBOOKS = ROOT / "k8s" / "RUNBOOKS.md"
RULES = [rule for group in yaml.safe_load((FILES / "alerts.yaml").read_text())["groups"]
         for rule in group["rules"]]
MINUTES = 40

# What both agents and their HAProxies export when all is well.
HEALTHY = {
    'up{job="wsb",instance="%s"}': "1",
    'wsbalancer_build_info{job="wsb",instance="%s"}': "1",
    'wsbalancer_replicas{job="wsb",instance="%s"}': "2",
    'wsbalancer_ready{job="wsb",instance="%s"}': "1",
    'wsbalancer_dry_run{job="wsb",instance="%s"}': "0",
    'wsbalancer_haproxy_up{job="wsb",instance="%s"}': "1",
    'wsbalancer_haproxy_draining{job="wsb",instance="%s"}': "0",
    'wsbalancer_haproxy_reloads_total{job="wsb",instance="%s"}': "3",
    'wsbalancer_weight_repairs_total{job="wsb",instance="%s"}': "0",
    'wsbalancer_pushes_total{job="wsb",instance="%s",result="ok"}': "0+60",
    'wsbalancer_pushes_total{job="wsb",instance="%s",result="refused"}': "0",
    'wsbalancer_config_reloads_total{job="wsb",instance="%s",result="failed"}': "0",
    'wsbalancer_certificate_end_timestamp_seconds{job="wsb",instance="%s"}': "9000000000",
    'wsbalancer_haproxy_certificate_begin_timestamp_seconds{job="wsb",instance="%s",file="/tls.crt"}': "-7000000",
    'wsbalancer_haproxy_certificate_end_timestamp_seconds{job="wsb",instance="%s",file="/tls.crt"}': "9000000000",
    'wsbalancer_haproxy_certificate_failed{job="wsb",instance="%s",file="/tls.crt"}': "0",
    'wsbalancer_backend_info{job="wsb",instance="%s",proxy="ws"}': "1",
    'wsbalancer_backend_fallback{job="wsb",instance="%s",proxy="ws"}': "0",
    'wsbalancer_backend_imbalance_ratio{job="wsb",instance="%s",proxy="ws"}': "0.01",
    'wsbalancer_backend_servers{job="wsb",instance="%s",proxy="ws",state="heard"}': "8",
    'wsbalancer_backend_servers{job="wsb",instance="%s",proxy="ws",state="stale"}': "0",
    'wsbalancer_backend_servers{job="wsb",instance="%s",proxy="ws",state="silent"}': "0",
    'wsbalancer_backend_servers{job="wsb",instance="%s",proxy="ws",state="never_heard"}': "0",
    'wsbalancer_backend_servers{job="wsb",instance="%s",proxy="ws",state="disbelieved"}': "0",
    'wsbalancer_backend_servers{job="wsb",instance="%s",proxy="ws",state="refused"}': "0",
    'wsbalancer_server_connections{job="wsb",instance="%s",proxy="ws",server="s1"}': "100",
    'wsbalancer_kubernetes_watching{job="wsb",instance="%s",service="web"}': "1",
    'wsbalancer_kubernetes_misnamed{job="wsb",instance="%s",service="web"}': "0",
    'wsbalancer_kubernetes_slots{job="wsb",instance="%s",service="web",proxy="ws",state="added"}': "0",
    'process_open_fds{job="wsb",instance="%s"}': "100",
    'process_max_fds{job="wsb",instance="%s"}': "1000",
    'haproxy_backend_active_servers{job="haproxy",instance="%s",proxy="ws"}': "8",
    'haproxy_process_current_connections{job="haproxy",instance="%s"}': "100",
    'haproxy_process_max_connections{job="haproxy",instance="%s"}': "1000",
    'haproxy_frontend_denied_connections_total{job="haproxy",instance="%s",proxy="clients"}': "5",
}

# What the first of two agents exports instead; "_": nothing any more, "_x40" after so many minutes.
FAULTS = {
    "WsbalancerDown": {"up": "1x5 0x40", "wsbalancer_build_info": "1x5 _x40"},
    "WsbalancerHaproxyUnreachable": {"wsbalancer_haproxy_up": "0"},
    "WsbalancerNotReady": {"wsbalancer_ready": "0"},
    "WsbalancerFallback": {"wsbalancer_backend_fallback": "1"},
    "WsbalancerPodsSilent": {'state="silent"': "1"},
    "WsbalancerPodDisbelieved": {'state="disbelieved"': "1"},
    "WsbalancerImbalance": {"wsbalancer_backend_imbalance_ratio": "0.5"},
    "WsbalancerPushesFail": {'result="refused"': "0+30"},
    "WsbalancerWeightsFought": {"wsbalancer_weight_repairs_total": "0+8"},
    "WsbalancerHaproxyReloads": {"wsbalancer_haproxy_reloads_total": "0+1"},
    "WsbalancerKubernetesUnwatched": {"wsbalancer_kubernetes_watching": "0"},
    "WsbalancerServiceMisnamed": {"wsbalancer_kubernetes_misnamed": "1"},
    "WsbalancerSlotsUsedUp": {"wsbalancer_kubernetes_slots": "2"},
    "WsbalancerConfigRefused": {"wsbalancer_config_reloads_total": "0+1"},
    "WsbalancerDryRun": {"wsbalancer_dry_run": "1"},
    "WsbalancerFilesNearlyUsedUp": {"process_open_fds": "900"},
    "WsbalancerNoUsablePod": {"haproxy_backend_active_servers": "0"},
    "WsbalancerNearlyFull": {"haproxy_process_current_connections": "900"},
    "WsbalancerClientsRefused": {"haproxy_frontend_denied_connections_total": "0+10"},
    "WsbalancerCertificateEnds": {"wsbalancer_certificate_end": str(3 * 86400)},
    "WsbalancerHaproxyCertificateEnds": {"haproxy_certificate_end": str(10 * 86400)},
    "WsbalancerHaproxyCertificateEnded": {"haproxy_certificate_end": "600"},
    "WsbalancerCertificateNotReloaded": {"haproxy_certificate_failed": "1"},
}
LATER = {"WsbalancerDryRun": 90, "WsbalancerCertificateEnds": 90, "WsbalancerHaproxyCertificateEnds": 90}


def values(text, minutes):
    """promtool's notation for so many minutes."""
    if "x" in text:
        return text
    return f"{text}x{minutes}" if "+" in text else f"{text}+0x{minutes}"


def series(faults, minutes):
    """All that two agents export; faults are the first one's."""
    found = []
    for instance in ("a:9180", "b:9180"):
        for name, healthy in HEALTHY.items():
            wrong = [value for key, value in faults.items() if key in name]
            value = wrong[0] if wrong and instance.startswith("a") else healthy
            found.append({"series": name % instance, "values": values(value, minutes)})
    return found


def firing(tmp_path, faults, alert, minutes, more=(), labels='instance="a:9180"'):
    """Whether promtool sees exactly one alert of this name, with these labels."""
    rules = tmp_path / "rules.yaml"
    rules.write_text((FILES / "alerts.yaml").read_text())
    query = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})'
    mine = f'count(ALERTS{{alertname="{alert}",alertstate="firing",{labels}}})'
    test = {"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": [{
        "interval": "1m", "input_series": series(faults, minutes) + list(more),
        "promql_expr_test": [
            {"expr": expr, "eval_time": f"{minutes}m", "exp_samples":
             [{"labels": "{}", "value": 1}] if faults else []} for expr in (query, mine)]}]}
    path = tmp_path / "test.yaml"
    path.write_text(yaml.safe_dump(test))
    result = subprocess.run(["promtool", "test", "rules", str(path)], capture_output=True, text=True)
    return result.returncode == 0, result.stdout + result.stderr


def test_every_rule_has_a_fault():
    assert {rule["alert"] for rule in RULES} == set(FAULTS)


@pytest.mark.parametrize("alert", FAULTS)
def test_of_two_agents_the_one_with_the_fault_is_told(tmp_path, alert):
    passed, said = firing(tmp_path, FAULTS[alert], alert, LATER.get(alert, MINUTES))
    assert passed, said


@pytest.mark.parametrize("alert", FAULTS)
def test_nothing_is_told_while_all_is_well(tmp_path, alert):
    passed, said = firing(tmp_path, {}, alert, LATER.get(alert, MINUTES))
    assert passed, said


def test_a_certificate_of_six_days_is_in_time_with_two_left(tmp_path):
    """One that is renewed in the last third of its time."""
    alert = "WsbalancerHaproxyCertificateEnds"
    minutes = LATER[alert]
    for left, fires in ((2 * 86400, False), (86400, True)):
        certificate = [{"series": f'wsbalancer_haproxy_certificate_{end}_timestamp_seconds{{job="wsb",'
                                  'instance="c:9180",file="/short.pem"}', "values": f"{at}+0x{minutes}"}
                       for end, at in (("begin", left - 6 * 86400), ("end", left + minutes * 60))]
        passed, said = firing(tmp_path, {"nothing": "0"} if fires else {}, alert, minutes, certificate,
                              'instance="c:9180"')
        assert passed, said


def test_a_haproxy_that_no_agent_knows_is_nobodys_business(tmp_path):
    foreign = [{"series": f'haproxy_process_{what}_connections{{job="haproxy",instance="other:8404"}}',
                "values": f"{n}+0x{MINUTES}"} for what, n in (("current", 95), ("max", 100))]
    foreign.append({"series": 'haproxy_backend_active_servers{job="haproxy",instance="other:8404",'
                              'proxy="shop"}', "values": f"0+0x{MINUTES}"})
    for alert in ("WsbalancerNearlyFull", "WsbalancerNoUsablePod"):
        passed, said = firing(tmp_path, {}, alert, MINUTES, foreign)
        assert passed, said


def test_an_agent_that_is_no_target_any_more_is_missed_too(tmp_path):
    """A pod that was deleted has no up; the other agent still reckons with two HAProxies."""
    passed, said = firing(tmp_path, {"up": "1x5 _x40", "wsbalancer_build_info": "1x5 _x40"},
                          "WsbalancerDown", MINUTES, labels='job="wsb"')
    assert passed, said


def test_silent_pods_are_told_within_two_minutes(tmp_path):
    passed, said = firing(tmp_path, FAULTS["WsbalancerPodsSilent"], "WsbalancerPodsSilent", 2)
    assert passed, said


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_alert_has_a_runbook_that_says_cause_check_and_mend(rule):
    path, anchor = rule["annotations"]["runbook_url"].split("#")
    assert ROOT / path == RUNBOOKS and anchor == rule["alert"].lower()
    section = re.search(rf"^## {rule['alert']}\n(.*?)(?=^## |\Z)", RUNBOOKS.read_text(),
                        re.M | re.S)[1]
    assert re.findall(r"^- \*\*(\w+)\.\*\* \S", section, re.M) == ["Cause", "Check", "Mend"]
    # The text itself says what to do.
    assert len(rule["annotations"]["description"]) > 40
