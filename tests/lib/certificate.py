# SPDX-License-Identifier: MIT
"""Certificates for tests."""
import subprocess


def make_certificate(cert, key, name, alternative=None):
    """
    Writes a certificate that has signed itself, for two days, and its key. alternative says what it is for beside
    its name, as openssl does: "DNS:ws.example.com", "IP:127.0.0.1".
    """
    also = ["-addext", f"subjectAltName={alternative}"] if alternative else []
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", f"/CN={name}", *also, "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
