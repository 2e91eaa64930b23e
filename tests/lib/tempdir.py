# SPDX-License-Identifier: MIT
"""One temporary folder for a whole run of pytest, gone at its end.

Whatever tests, programs and browsers put into TMPDIR and forget goes with it. pytest's own folders, which it
keeps for three runs so that one can look at them, stay where they were.
"""
import os
import shutil
import tempfile


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        return  # a worker has the TMPDIR of the run that it works for
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    os.environ["TMPDIR"] = tempfile.tempdir = tempfile.mkdtemp(prefix="wsb-run-")
    # Some tests run the agent as another user, who is to find the folders that are made for it below.
    os.chmod(tempfile.tempdir, 0o711)
    config.add_cleanup(lambda: shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True))
