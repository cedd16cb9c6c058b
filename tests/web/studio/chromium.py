"""A headless Chromium that is driven as a person would: DevTools protocol over a pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

from browser import CHROMIUM

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --hide-scrollbars "
    "--remote-debugging-pipe"
).split()
# Chromium reads from its file 3 and writes to 4; the numbers here are first moved out of the way.
PIPES = """
import os, sys, fcntl
reads, writes = (fcntl.fcntl(int(n), fcntl.F_DUPFD, 10) for n in sys.argv[1:3])
os.dup2(reads, 3), os.dup2(writes, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
PATIENCE = 30  # seconds, on a machine that does other things too
MODIFIERS = {"Alt": 1, "Ctrl": 2, "Shift": 8}
Point = tuple[float, float]
Plain = dict[str, Any]


@contextmanager
def chromium(profile: Path) -> Iterator[Pipe]:
    """A browser with a profile of its own, which is closed at the end."""
    (reads, ask), (answer, writes) = os.pipe(), os.pipe()
    command = [sys.executable, "-c", PIPES, str(reads), str(writes), str(CHROMIUM), *FLAGS]
    process = subprocess.Popen(
        [*command, f"--user-data-dir={profile}"],
        pass_fds=(reads, writes),
        stderr=subprocess.DEVNULL,
    )
    os.close(reads)
    os.close(writes)
    with open(ask, "wb", 0) as asks, open(answer, "rb", 0) as answers:
        try:
            yield Pipe(asks, answers)
        finally:
            process.terminate()
            process.wait(PATIENCE)


class Pipe:
    """Messages to a browser and from it."""

    def __init__(self, asks: IO[bytes], answers: IO[bytes]) -> None:
        self.asks, self.answers = asks, answers
        self.number, self.unread = 0, b""

    def call(
        self, method: str, given: Plain, session: str = "", note: Callable[[Plain], Any] = id
    ) -> Plain:
        """Ask the browser, and wait for its answer; what it sends of itself goes to `note`."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": given}
        if session:
            message["sessionId"] = session
        self.asks.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            if answer.get("sessionId") == session:
                note(answer)

    def _next(self) -> Plain:
        while b"\0" not in self.unread:
            data = os.read(self.answers.fileno(), 2**20)
            assert data, "the browser is gone"
            self.unread += data
        message, _, self.unread = self.unread.partition(b"\0")
        answer: Plain = json.loads(message)
        return answer


class Page:
    """A page that shares nothing with others, or what is kept with the one that it lies beside.

    Attributes:
        errors: What the page wrote to the console as an error or a warning, or threw.
        requests: URLs that it asked for.
    """

    def __init__(self, pipe: Pipe, beside: Page | None = None) -> None:
        self.pipe, self.session = pipe, ""
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.loads = 0
        new = self.call("Target.createBrowserContext") if beside is None else {}
        self.context = beside.context if beside else new["browserContextId"]
        self._open_tab()

    def _open_tab(self) -> None:
        made = {"url": "about:blank", "browserContextId": self.context}
        target = self.call("Target.createTarget", **made)["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        """Close it, and forget what it kept."""
        self.session = ""
        self.call("Target.disposeBrowserContext", browserContextId=self.context)

    def call(self, method: str, **given: Any) -> Plain:
        """Ask the browser about this page, and wait for its answer."""
        return self.pipe.call(method, given, self.session, self._note)

    def _note(self, event: Plain) -> None:
        about, method = event.get("params", {}), event.get("method")
        if method == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning", "assert"):
            self.errors.append(str([a.get("value", a.get("description")) for a in about["args"]]))
        elif method == "Runtime.exceptionThrown":
            details = about["exceptionDetails"]
            self.errors.append(details.get("exception", details).get("description", str(details)))
        elif method == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning"):
            self.errors.append(f"{about['entry']['text']} {about['entry'].get('url', '')}")
        elif method == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        elif method == "Page.loadEventFired":
            self.loads += 1

    # ---------------------------------------------------------------- the page itself

    def open(self, url: str) -> None:
        """Go to a page and wait until it is loaded."""
        loads = self.loads
        self.call("Page.navigate", url=url)
        self._until(lambda: self.loads > loads, f"{url} to load")

    def run(self, script: str) -> Any:
        """What an expression, or a promise of it, gives in the page, as plain data."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition: str) -> Any:
        """Wait until an expression is true in the page."""
        return self._until(lambda: self.run(f"!!({condition})"), condition)

    def _until(self, is_true: Any, what: str) -> Any:
        end = time.monotonic() + PATIENCE
        while not (value := is_true()):
            if time.monotonic() > end:
                shown = self.run("document.body?.innerText")
                raise AssertionError(f"waited for {what}; {self.errors}; {shown}")
            time.sleep(0.02)
            self.call("Browser.getVersion")  # takes up what the page sent meanwhile
        return value

    def screenshot(self, path: Path) -> None:
        """Save what is seen as PNG."""
        path.write_bytes(b64decode(self.call("Page.captureScreenshot")["data"]))

    def size(self, width: int, height: int, is_phone: bool = False) -> None:
        """Make the window as large, with fingers for a mouse if it is a phone's."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if is_phone else 1,
            mobile=is_phone,
        )
        self.call("Emulation.setTouchEmulationEnabled", enabled=is_phone)

    def files(self, selector: str, *paths: Path) -> None:
        """Choose files, as in the dialog that a button opens."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path) for path in paths])

    # ---------------------------------------------------------------- hands

    def middle(self, selector: str) -> Point:
        """Where the middle of an element is in the window."""
        x, y = self.run(
            f"(({{left, top, width, height}}) => [left + width / 2, top + height / 2])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        return x, y

    def click(self, selector: str) -> None:
        """Click on the middle of an element."""
        self.drag([self.middle(selector)])

    def mouse(self, kind: str, point: Point, **more: Any) -> None:
        """A single event of the mouse, or of a pen: mousePressed, mouseMoved, ..."""
        x, y = point
        given = {"button": "none" if kind == "mouseMoved" else "left", "clickCount": 1, **more}
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **given)

    def drag(self, points: list[Point], **more: Any) -> None:
        """Press at the first point, move along the others, let go."""
        self.mouse("mouseMoved", points[0], **more)
        self.mouse("mousePressed", points[0], buttons=1, **more)
        for point in points[1:]:
            self.mouse("mouseMoved", point, buttons=1, button="left", **more)
        self.mouse("mouseReleased", points[-1], **more)

    def touch(self, *steps: list[Point]) -> None:
        """Fingers: where they are at each step; at the end they are lifted."""
        count = 0
        for points in steps:
            fingers = [{"x": x, "y": y, "id": place} for place, (x, y) in enumerate(points)]
            kind = "touchStart" if len(points) > count else "touchMove"
            count = len(points)
            self.call("Input.dispatchTouchEvent", type=kind, touchPoints=fingers)
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def press(self, combination: str) -> None:
        """Press a key and let it go: "b", "Ctrl+Shift+z", "Enter"."""
        self.key("down", combination)
        self.key("up", combination)

    def key(self, kind: str, combination: str) -> None:
        """Press a key, "down", or let it go, "up"."""
        *held, key = combination.split("+") if combination != "+" else ["+"]
        modifiers = sum(MODIFIERS[name] for name in held)
        shown = key.upper() if "Shift" in held and len(key) == 1 else key
        about: Plain = {"key": shown, "modifiers": modifiers, **CODES.get(key, {})}
        if len(key) == 1 and key.isalnum():
            about["code"] = f"Digit{key}" if key.isdigit() else f"Key{key.upper()}"
            about["windowsVirtualKeyCode"] = ord(key.upper())
        text = CODES.get(key, {}).get("text", shown if len(key) == 1 else "")
        if kind == "down" and text and "Ctrl" not in held:
            about["text"] = text
        self.call("Input.dispatchKeyEvent", type=f"key{kind.title()}", **about)


@contextmanager
def visited(browser: Pipe, url: str) -> Iterator[Page]:
    """The studio's page once it has started; an error in its console fails the test."""
    with closing(Page(browser)) as page:
        page.size(1280, 800)
        page.open(url)
        page.wait("document.body.classList.contains('ready')")
        yield page
        page.run("0")  # takes up what was sent meanwhile
        assert page.errors == []


CODES: dict[str, Plain] = {
    "Enter": {"code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"},
    "Tab": {"code": "Tab", "windowsVirtualKeyCode": 9},
    "Escape": {"code": "Escape", "windowsVirtualKeyCode": 27},
    " ": {"code": "Space", "windowsVirtualKeyCode": 32, "text": " "},
    "ArrowLeft": {"code": "ArrowLeft", "windowsVirtualKeyCode": 37},
    "ArrowUp": {"code": "ArrowUp", "windowsVirtualKeyCode": 38},
    "ArrowRight": {"code": "ArrowRight", "windowsVirtualKeyCode": 39},
    "ArrowDown": {"code": "ArrowDown", "windowsVirtualKeyCode": 40},
}
