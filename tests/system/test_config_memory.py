# SPDX-License-Identifier: MIT
"""Every allocation that reading a configuration makes may fail."""
import subprocess

from program import ROOT

WITH_SOCKET = """
haproxy: {socket: /run/a.sock, replicas: 3, backends: [ws, wss]}
metricScheme: https
metricHeaders:
  Authorization: {file: /run/secrets/token}
  X-Agent: "a${HOME}"
tlsServerName: pods.example.org
agentCheck: {listen: '*:81'}
log: {level: debug, format: json}
"""

IN_KUBERNETES = """
haproxy: {socket: /run/a.sock, replicas: {service: balancer}}
kubernetes: [{service: 'web:ws', namespace: talk}, {service: chat, backend: c}]
kubernetesAPI: {server: 'https://[::1]:6443', tokenFile: /t}
"""

WITHOUT_SOCKET = """
agentCheck: {listen: '127.0.0.1:9181'}
services:
- name: ws
  servers:
  - {name: ws1, address: '10.0.0.1:80'}
  - {name: ws2, address: '[fd00::2]:81', weight: 7}
"""


def test_each_failed_allocation_is_told_and_leaks_nothing(tmp_path):
    # Not under a sanitizer, which brings an allocator of its own.
    program = tmp_path / "config_memory"
    library = ROOT / "build/release/libcore.a"
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "yaml-0.1", "json-c"],
                           capture_output=True, text=True, check=True).stdout.split()
    subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", "-g", "-fno-builtin", "-Iagent", "-o", program,
                    "tests/system/config_memory.c", library, *flags, "-lm"],
                   cwd=ROOT, check=True, timeout=60)
    result = subprocess.run([program, WITH_SOCKET, IN_KUBERNETES, WITHOUT_SOCKET],
                            capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout
    counts = [[int(count) for count in line.split()] for line in result.stdout.splitlines()]
    assert len(counts) == 3
    # As many failures were told as there are allocations: far more than a hundred a file.
    assert all(count > 100 for pair in counts for count in pair), counts
