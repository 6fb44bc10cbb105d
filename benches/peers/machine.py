"""The machine that measures, and the versions that are measured."""

import json
import os
import platform
import subprocess
from pathlib import Path

VERSIONS = """
import json, platform
from importlib.metadata import version
found = {name: version(name) for name in ("nilearn", "nibabel", "numpy", "scipy", "pandas", "scikit-learn")}
print(json.dumps({"Python": platform.python_version(), **found}))
"""


def describe():
    """CPU, cores, memory and system."""
    return {
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": system(),
    }


def cpu_model():
    """As the system calls it; on Linux with the family and model numbers, since a virtual machine hides the name."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text().split("\n\n")[0].splitlines()
        fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        if "model name" in fields:
            return f"{fields['model name']} (family {fields.get('cpu family')}, model {fields.get('model')})"
    if platform.system() == "Darwin":
        return subprocess.check_output(["sysctl", "-n", "machdep.cpu.brand_string"], text=True).strip()
    return platform.machine()


def system():
    """Distribution and kernel."""
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        name = platform.system()
    return f"{name}, kernel {platform.release()}, {platform.machine()}"


def versions(boldly, python, scratch):
    """Of boldly, of the OpenBLAS it says in its results, and of nilearn's environment where there is one."""
    found = {"boldly": subprocess.check_output([boldly, "--version"], text=True).split()[-1]}
    provenance = next(scratch.rglob("provenance.json"), None)
    if provenance is not None:
        found["OpenBLAS"] = json.loads(provenance.read_text())["versions"]["openblas"]
    if python is not None:
        found |= json.loads(subprocess.check_output([python, "-c", VERSIONS], text=True))
    return found
