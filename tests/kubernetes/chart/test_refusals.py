# SPDX-License-Identifier: MIT
"""Wrong values are refused before anything reaches the cluster, with a message that says what to do."""
import json

import pytest
import tools
import yaml

APP = "services[0].name=my-app"

REFUSED = [
    # What the schema says.
    ("replicas=3", "additional properties 'replicas' not allowed"),
    ("image.pullpolicy=Always", "at '/image': additional properties 'pullpolicy' not allowed"),
    ("agent.config.metricpath=/m", "at '/agent/config': additional properties 'metricpath' not allowed"),
    ("agent.config.pollInterval=5", "at '/agent/config/pollInterval'"),
    ("agent.config.pollInterval=5sec", "at '/agent/config/pollInterval'"),
    ("agent.config.metricPath=metric", "at '/agent/config/metricPath'"),
    ("agent.nativeSidecar=maybe", "at '/agent/nativeSidecar'"),
    ("discovery=consul", "at '/discovery': value must be one of 'endpointslices', 'dns'"),
    ("balance=source", "at '/balance': value must be one of 'leastconn', 'roundrobin', 'random'"),
    ("slots=0", "at '/slots'"),
    ("slots=many", "at '/slots': got string, want integer"),
    ("containerPorts.http=80", "at '/containerPorts/http': minimum: got 80, want 1,024"),
    ("image.digest=sha256:12", "at '/image/digest'"),
    ("replicaCount=two", "at '/replicaCount': got string, want integer"),
    ("services[0].naem=x", "at '/services/0': additional properties 'naem' not allowed"),
    ("services[1].port=80", "at '/services/1': missing property 'name'"),
    ("services[0].name=My_App", "at '/services/0/name'"),
    ("services[0].paths[0]=chat", "at '/services/0/paths/0'"),
    ("services[0].serverOptions=check;quit", "at '/services/0/serverOptions'"),
    ("readinessProbe.httpGet.path=/x", "at '/readinessProbe': additional properties 'httpGet' not allowed"),
    ("service.type=External", "at '/service/type'"),
    ("haproxy.timeouts.tunnel=0s", "at '/haproxy/timeouts/tunnel'"),
    ("haproxy.extra.frontends=x", "at '/haproxy/extra': additional properties 'frontends' not allowed"),
    ("balancerMetrics.allowFrom[0]=everybody", "at '/balancerMetrics/allowFrom/0'"),
    ("tls.minVersion=SSLv3", "at '/tls/minVersion'"),
    ("PodDisruptionBudget.enabled=true", "additional properties 'enabled' not allowed"),
    ("mountedSecrets[0].secretName=s", "at '/mountedSecrets/0': missing properties"),
    ("services[0].port=99999", "at '/services/0/port'"),
    ("services[0].metric.preset=nosuch", "at '/services/0/metric/preset'"),
    ("agent.config.metricHeaders.X Y=a", "invalid propertyName 'X Y'"),
    # What null takes away, or nobody would know what happens instead: the API's one HAProxy, say.
    ("replicaCount=null", "missing property 'replicaCount'"),
    ("agent=null", "missing property 'agent'"),
    ("haproxy.waitForServers=null", "at '/haproxy': missing property 'waitForServers'"),
    ("serviceAccount.automountServiceAccountToken=null", "missing property 'automountServiceAccountToken'"),
    # What only the templates can know.
    ("agent.config.balancerMetricPath=/metrics", "agent.config.balancerMetricPath /metrics is another page"),
    ("agent.config.tlsCert=/c", "agent.config.tlsCert and tlsKey: set both, or neither"),
    ("services[1].name=my-app", "services: my-app is there twice with the same port"),
    ("services[1].name=other", "services: my-app and other have neither hosts nor paths"),
    ("services[1].name=other,services[1].paths={/}", "services: my-app and other have neither hosts nor paths"),
    ("services[0].hosts={Chat.example.com},services[0].paths={/a},services[1].name=other,"
     "services[1].hosts={www.example.com,chat.example.com},services[1].paths={/b,/a/}",
     "services: my-app and other both take chat.example.com/a: the second would get nothing"),
    ("services[0].paths={/a},services[1].name=other,services[1].paths={/a}", "both take any host, /a"),
    ("discovery=dns", "services: my-app needs port, as the pods' port number"),
    ("discovery=dns,services[0].port=ws", "services: my-app needs port, as the pods' port number"),
    ("autoscaling.enabled=true,keda.enabled=true", "both would set the number of pods"),
    ("podMonitor.enabled=true,serviceMonitor.enabled=true", "every pod would be scraped twice"),
    ("keda.enabled=true,autoscaling.adopted=true,keda.version=2.20.0,metricsService.enabled=false", "serviceMonitor and keda need the metrics Service"),
    ("dns.nameservers={10.0.0.1}", "at '/dns/nameservers/0'"),
    ("dns.clusterDomain=.", "at '/dns/clusterDomain'"),
    ("autoscaling.enabled=true,autoscaling.adopted=true,autoscaling.maxReplicas=1",
     "autoscaling.minReplicas 2 is more than maxReplicas 1"),
    ("keda.enabled=true,keda.version=2.20.0,autoscaling.adopted=true,keda.maxReplicas=1",
     "keda.minReplicas 2 is more than maxReplicas 1"),
    ("service.ipFamilies={IPv6}", "service.ipFamilies and ipFamilyPolicy: its clients come by IPv6 too"),
    ("internalService.ipFamilyPolicy=PreferDualStack", "internalService.ipFamilies and ipFamilyPolicy"),
    ("tls.enabled=true", "tls.secretName is empty"),
    ("tls.enabled=true,tls.secretName=a,tls.certificates[0].secretName=a", "tls.certificates: a is there twice"),
    ("autoscaling.enabled=true", "Where that goes from what was applied, the API sets 1"),
    ("keda.enabled=true,keda.version=2.20.0", "set autoscaling.adopted=true"),
    ("keda.enabled=true,autoscaling.adopted=true", "keda.version is empty: the trigger on connections needs KEDA 2.20"),
    ("keda.enabled=true,autoscaling.adopted=true,keda.version=v2.19.1", "keda.version v2.19.1: the trigger"),
    ("keda.enabled=true,autoscaling.adopted=true,keda.version=2.20.0,haproxy.maxConnections=5000",
     "keda.targetConnections 5000: HAProxies are full at haproxy.maxConnections 5000"),
    ("autoscaling.enabled=true,autoscaling.adopted=true,autoscaling.targetConnections=9001",
     "autoscaling.targetConnections 9001: HAProxies are full at haproxy.maxConnections 9000"),
    ("kind=StatefulSet", "at '/kind': value must be one of 'Deployment', 'DaemonSet'"),
    ("kind=DaemonSet,autoscaling.enabled=true,autoscaling.adopted=true", "kind is DaemonSet"),
    ("daemonset.useHostPort=true", "daemonset.useHostNetwork and useHostPort need kind: DaemonSet"),
    ("agent.closeOver=340", "agent.closeOver 340: with agent.drainDelay 15 and 10 s it must fit"),
    ("haproxy.unreadyWhenFull.enabled=true,haproxy.unreadyWhenFull.mark=50", "backMark 85 must be below mark 50"),
    ("balancerMetrics.enabled=true,balancerMetrics.allowFrom[0]=0.0.0.0/0", "shows the page to everybody"),
    ("networkPolicy.enabled=true,podMonitor.enabled=true", "networkPolicy.metricsFrom is empty"),
    ("networkPolicy.enabled=true,keda.enabled=true,autoscaling.adopted=true,keda.version=2.20.0",
     "networkPolicy.metricsFrom is empty"),
    ("slots=4000,services[1].name=b,services[1].hosts={b},services[2].name=c,services[2].hosts={c},"
     "services[3].name=d,services[3].hosts={d}", "and a ConfigMap takes 1 MiB"),
    ("services[0].hosts={*example.com}", "at '/services/0/hosts/0'"),
    ("terminationGracePeriodSeconds=20", "terminationGracePeriodSeconds 20 leaves no time after agent.drainDelay 15"),
    ("networkPolicy.enabled=true,networkPolicy.allowExternal=false", "networkPolicy would let no client in"),
    ("networkPolicy.enabled=true,networkPolicy.apiServerPorts=null",
     "networkPolicy would keep the agent from the Kubernetes API"),
    ("agent.extraConfig.listen=x", "agent.extraConfig.listen: the chart writes this key from its own values"),
    ("agent.extraConfig.cacheTTL=1s", "agent.extraConfig.cacheTTL: set agent.config.cacheTTL"),
    ("agent.extraConfig.rampp=1s", "at '/agent/extraConfig': additional properties 'rampp' not allowed"),
    ("agent.extraConfig.ramp=soon", "at '/agent/extraConfig/ramp'"),
    ("agent.extraConfig.maxShare=2", "at '/agent/extraConfig/maxShare'"),
    ("agent.extraConfig.recordMaxSize=1", "at '/agent/extraConfig/recordMaxSize'"),
    ("agent.extraConfig.kubernetesAPI.silense=1m", "additional properties 'silense' not allowed"),
    ("agent.extraConfig.listenTokenFile=/t", "agent.extraConfig.listenTokenFile: set agent.access"),
    ("agent.port=8080", "containerPorts, agent.port and agent.agentCheck.port must differ"),
]


@pytest.mark.parametrize("values, message", REFUSED, ids=[values for values, _ in REFUSED])
def test_is_refused(values, message):
    done = tools.helm("template", "wsb", tools.CHART, "--set", APP, "--set", values)
    assert done.returncode != 0
    assert message in done.stderr


@pytest.mark.parametrize("port", ["080", "0", "65536"])
def test_a_port_in_quotes_is_a_name_or_a_number_of_a_port(port):
    done = tools.helm("template", "wsb", tools.CHART, "--set", APP, "--set-string", f"services[0].port={port}")
    assert done.returncode != 0 and "at '/services/0/port'" in done.stderr


def empties(values, schema, path=()):
    """The paths of all values that null may take away: what the schema does not call needed."""
    for name, value in values.items():
        below = schema.get("properties", {}).get(name)
        if name not in schema.get("required", ()):
            yield (*path, name)
        elif isinstance(value, dict) and below:
            yield from empties(value, below, (*path, name))


def test_null_where_it_is_let_through_is_as_nothing():
    """All of them at once: neither template nor HAProxy nor agent stumbles."""
    values = yaml.safe_load((tools.CHART / "values.yaml").read_text(encoding="utf-8"))
    schema = json.loads((tools.CHART / "values.schema.json").read_text(encoding="utf-8"))
    paths = [".".join(path) for path in empties(values, schema["definitions"]["needed"]) if path != ("services",)]
    assert len(paths) > 100
    text = tools.template("--set", APP, "--set", ",".join(f"{path}=null" for path in paths))
    docs = tools.documents(text)
    assert "nil>" not in text and not list(nulls(docs))
    assert tools.one(docs, "Deployment")["spec"]["replicas"] == 2


def nulls(made):
    """Whatever is null in objects for the API."""
    if made is None:
        yield made
    for below in made.values() if isinstance(made, dict) else made if isinstance(made, list) else ():
        yield from nulls(below)


def test_without_a_service_the_message_says_how_to_name_one():
    done = tools.helm("template", "wsb", tools.CHART)
    assert done.returncode != 0
    assert "name the Service of your WebSocket pods, e.g. --set services[0].name=my-app" in done.stderr


def test_an_old_kubernetes_is_refused():
    done = tools.helm("template", "wsb", tools.CHART, "--set", APP, "--kube-version", "1.24.0")
    assert done.returncode != 0
    assert "chart requires kubeVersion: >=1.25.0-0" in done.stderr
