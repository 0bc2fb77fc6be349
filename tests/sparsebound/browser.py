"""Headless Chromium, as Debian installs it, driven by selenium."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

INSISTED = "SPARSEBOUND_BROWSER"  # an environment variable: no browser is then a failure
SIZES = [(360, 780), (1440, 900)]
# A fraction of a pixel is lost where a size is rounded.
PIXEL = 1.0
PATIENCE = 60.0  # seconds that a page may take on a machine with other work
_WANTED = (
    "needs Chromium and its driver (apt-get install chromium chromium-driver) and selenium"
    " (pip install selenium)"
)
# It stays off the network by itself, and does not share what other processes keep.
_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--hide-scrollbars"),
)


@contextmanager
def chromium(profile: Path) -> Iterator[Any]:
    """Yield a browser with a profile of its own; skip the test, or fail it, without one."""
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    try:
        from selenium import webdriver  # noqa: PLC0415  # an extra
    except ImportError:
        programs.append(None)
    if not all(programs):
        if os.environ.get(INSISTED):
            pytest.fail(_WANTED)
        pytest.skip(_WANTED)
    options = webdriver.ChromeOptions()
    options.binary_location = str(programs[0])
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(str(programs[1]))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()


class Reader:
    """A page that is open, and what one does with it."""

    def __init__(self, driver: Any, page: Path) -> None:
        self.driver, self.page = driver, page

    def open(self) -> None:
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)  # what was logged before is forgotten
        self.driver.get(self.page.as_uri())
        # The page names its root only once its script has run.
        ready = "(n) => document.documentElement.dataset[n] === 'ready'"
        self.wait(f"return ['charts', 'figures'].every({ready})")

    def js(self, code: str, *arguments: Any) -> Any:
        return self.driver.execute_script(code, *arguments)

    def wait(self, code: str, *arguments: Any) -> None:
        until = time.monotonic() + PATIENCE
        while not self.js(code, *arguments):
            assert time.monotonic() < until, code
            time.sleep(0.05)

    def size(self, width: int, height: int) -> None:
        about = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", about)
        self.js("return new Promise((done) => requestAnimationFrame(() => setTimeout(done, 200)))")

    def system(self, theme: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": theme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def keys(self, *names: str) -> None:
        for name in names:
            press = {"key": name, "code": name} | _KEYS[name]
            for kind in ("keyDown", "keyUp"):
                self.driver.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": kind, **press})


_KEYS: dict[str, dict[str, Any]] = {
    "Tab": {"windowsVirtualKeyCode": 9},
    "Enter": {"windowsVirtualKeyCode": 13, "text": "\r"},
    "Escape": {"windowsVirtualKeyCode": 27},
    "ArrowRight": {"windowsVirtualKeyCode": 39},
}
