"""What a comparison needs before anything is measured: the program, the datasets, nilearn."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
NILEARN = "nilearn==0.14.1"


@dataclass
class Dataset:
    """A simulated run."""

    name: str
    path: Path

    @property
    def stem(self):
        """Of its files' names."""
        return self.path / "sub-01/func/sub-01_task-objects_run-01"

    @property
    def image(self):
        """The 4-D image."""
        return Path(f"{self.stem}_bold.nii.gz")


def run(words):
    """Runs a command of the preparation, with its output on stderr."""
    print("+ " + " ".join(str(word) for word in words), file=sys.stderr)
    subprocess.run([str(word) for word in words], check=True, stdout=sys.stderr, cwd=REPOSITORY)


def binary():
    """The release binary, built now."""
    run(["cargo", "build", "--release", "--locked"])
    return REPOSITORY / "target/release/boldly"


def dataset(boldly, name, data):
    """Makes a dataset below the folder `data`, unless it is there already from the same specification."""
    specification = HERE / "datasets" / f"{name}.toml"
    folder = data / name
    copy = folder / "simulation.toml"  # written last: who finds it finds a whole dataset
    if not copy.exists():
        if folder.exists():
            sys.exit(f"{folder} holds no whole dataset of this benchmark: remove it")
        data.mkdir(parents=True, exist_ok=True)
        run([boldly, "simulate", specification, "--out", folder])
        shutil.copyfile(specification, copy)
    elif copy.read_bytes() != specification.read_bytes():
        sys.exit(f"{folder} was made from another specification than {specification}: remove it")
    return Dataset(name, folder)


def python_with_nilearn(data):
    """The interpreter of a virtual environment with nilearn below the folder `data`, made unless it is there."""
    environment = data / "nilearn"
    python = environment / "bin/python"
    probe = "import importlib.metadata as m; print('nilearn==' + m.version('nilearn'))"
    if python.exists():
        found = subprocess.run([python, "-c", probe], capture_output=True, text=True).stdout.strip()
        if found == NILEARN:
            return python
    run([sys.executable, "-m", "venv", environment])
    run([python, "-m", "pip", "install", "--quiet", NILEARN])
    return python
