"""What the doctor finds, and says when something is not there."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import pytest

import mllm.backends
from agent import doctor
from mllm.backends.protocol import ModelError


@pytest.fixture(autouse=True)
def without_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading the shipped weights takes seconds and has tests of its own."""
    monkeypatch.setattr(doctor, "_load_detector", lambda: "loads")
    monkeypatch.setattr(doctor, "_load_reader", lambda: "loads")

    def missing(name: str) -> None:
        raise ModelError("the weights of nano are not installed")

    monkeypatch.setattr(mllm.backends, "load", missing)


def test_what_is_installed_has_its_version() -> None:
    found = {finding.name: finding for finding in doctor.examine()}
    assert found["langgraph"].found == version("langgraph")
    assert found["Python"].found.startswith("3.")
    assert "cores" in found["Processor"].found


def test_a_missing_library_is_told_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(doctor, "version", gone)
    found = {finding.name: finding for finding in doctor.examine()}
    assert found["ultralytics"].missing
    assert found["ultralytics"].get == "pip install 'corvid-agent[vision]'"


def test_weights_that_do_not_load_are_a_finding_not_a_crash() -> None:
    found = {finding.name: finding for finding in doctor.examine()}
    assert found["nano"].missing
    assert "are not installed" in found["nano"].get
    assert found["nano detector"].found == "loads"


def test_a_missing_program_is_told_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    found = {finding.name: finding for finding in doctor.examine()}
    assert found["Chromium"].missing
    assert "apt install chromium" in found["Chromium"].get
    assert found["xdotool"].missing and "apt install xdotool" in found["xdotool"].get
