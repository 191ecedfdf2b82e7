"""Tests that are too large for every day."""

from __future__ import annotations

from collections.abc import Callable

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--soak"):
        return
    large = [item for item in items if "soak_only" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=large)
    items[:] = [item for item in items if item not in large]


@pytest.fixture
def soak_only(campaign: Callable[[int], int]) -> None:
    """Whoever asks for this runs with --soak alone: it is a campaign of which no tenth can be taken."""
    assert campaign(10) == 10
