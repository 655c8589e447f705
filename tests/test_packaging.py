"""What is declared in one place must be what is declared in the other: pyproject.toml, environment.yml, the lock files."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

# Where conda-forge uses another name for the same distribution.
CONDA = {
    "python-duckdb": "duckdb",
    "ibis-duckdb": "ibis-framework",
    "pandera-pandas": "pandera",
    "matplotlib-base": "matplotlib",
    "nbconvert-core": "nbconvert",
}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def split(requirement: str) -> tuple[str, str]:
    """Name and version specifier of ``name[extra]>=1,<2``, white space and extras dropped."""
    match = re.match(r"\s*([\w.-]+)(?:\[[^]]*\])?\s*(.*)", requirement)
    assert match is not None
    return normal(match[1]), match[2].replace(" ", "")


@pytest.fixture(scope="module")
def project(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def pins(file: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([a-z0-9][\w.-]*)(?:\[[^]]*\])?==([^ ;\\]+)", line):
            found.setdefault(normal(match[1]), set()).add(match[2])
    return found


def test_conda_environment_holds_the_same_packages_and_bounds(root: Path, project: dict) -> None:
    wanted = dict(
        map(split, project["project"]["dependencies"] + project["project"]["optional-dependencies"]["lab"])
    )
    wanted["pytest"] = dict(map(split, project["dependency-groups"]["test"]))["pytest"]
    listed = yaml.safe_load((root / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    pip = next(entry["pip"] for entry in listed if isinstance(entry, dict))
    conda = dict(split(entry) for entry in listed if isinstance(entry, str))
    assert conda.pop("python") == project["project"]["requires-python"]
    conda.pop("pip")
    assert "-e ." in pip
    found = {CONDA.get(name, name): bound for name, bound in conda.items()}
    found |= dict(split(entry) for entry in pip if entry != "-e .")
    assert found == wanted


def test_packages_the_user_named_are_there(root: Path) -> None:
    text = (root / "environment.yml").read_text(encoding="utf-8")
    for name in ("jupyterlab", "papermill", "pandas", "matplotlib", "jieba", "nbconvert", "pytest"):
        assert re.search(rf"^  - {name}\b", text, re.M), name


@pytest.mark.parametrize(
    "lock", ["requirements-build.lock", "requirements.lock", "requirements-lab.lock", "requirements-all.lock"]
)
def test_every_pin_has_hashes_and_no_host_is_named(root: Path, lock: str) -> None:
    text = (root / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"(?m)^\s*--(?!hash=sha256:[0-9a-f]{64})", text)
    for entry in re.split(r"(?m)^(?=[a-z0-9])", text):
        if entry.strip():
            assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_lock_holds_every_declared_package(root: Path, project: dict) -> None:
    core = pins(root / "requirements.lock")
    lab = core | pins(root / "requirements-lab.lock")
    everything = lab | pins(root / "requirements-all.lock")
    declared = project["project"]
    assert {split(line)[0] for line in declared["dependencies"]} <= set(core)
    assert {split(line)[0] for line in declared["optional-dependencies"]["lab"]} <= set(lab)
    extras = [line for lines in declared["optional-dependencies"].values() for line in lines]
    assert {split(line)[0] for line in extras + project["dependency-groups"]["test"]} <= set(everything)


def test_locks_agree_where_they_pin_the_same_package(root: Path) -> None:
    lab, everything = pins(root / "requirements-lab.lock"), pins(root / "requirements-all.lock")
    shared = set(lab) & set(everything)
    assert shared
    assert {name: lab[name] for name in shared} == {name: everything[name] for name in shared}
