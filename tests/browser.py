"""A headless Chromium for tests that look at a page. Without one, they skip and say so."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager

import pytest

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"),
)


def needed():
    """Paths of the browser and its driver. Skips where one is missing."""
    found = [shutil.which("chromium"), shutil.which("chromedriver")]
    if not all(found):
        pytest.skip("no chromium here: install Debian's packages chromium and chromium-driver")
    return found


@contextmanager
def opened(folder, width=1440, height=1000):
    """A driver with an empty profile in `folder`."""
    chromium, driver = needed()
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={folder}", f"--window-size={width},{height}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    window = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield window
    finally:
        window.quit()


def complaints(window):
    """Everything on the console: errors, warnings, messages."""
    return [entry["message"] for entry in window.get_log("browser")]


def requests(window, page):
    """Addresses that this page asked for since the last call, its own first."""
    events = [json.loads(entry["message"])["message"] for entry in window.get_log("performance")]
    asked = [e["params"] for e in events if e["method"] == "Network.requestWillBeSent"]
    return [x["request"]["url"] for x in asked if x["documentURL"] == page]  # not those of the browser's own first tab
