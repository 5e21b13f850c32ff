"""Looks at a report in a real browser: light, dark, on paper and in a narrow window.

    python3 look.py BROWSER FILE [FOLDER]

Prints a line `figure TITLE` for each figure, and a line `finding LOOKS: WHAT` for everything that is not as it should be, with the looks in which
it is so; `page` is what the page itself did. FOLDER gets a picture of each look. The exit status is 0 when it could be looked at all, whatever was found.
"""

import base64
import contextlib
import pathlib
import sys

import devtools
import picture

HERE = pathlib.Path(__file__).parent

# Name, media type, colour scheme, width of the window, and whether painted pixels are counted.
LOOKS = [
    ("light", "screen", "light", 1_100, True),
    ("dark", "screen", "dark", 1_100, True),
    ("paper", "print", "light", 1_100, True),
    ("narrow", "screen", "light", 400, False),
]

# Pixels of the data that must be painted, at half the size, and by how much a channel must differ from what is behind them.
LEAST_PIXELS = 10
LEAST_DIFFERENCE = 24

SHOW = 'for (const shown of document.querySelectorAll("[data-shown]")) shown.style.visibility = "%s"'


def main(program, file, folder=None):
    address = pathlib.Path(file).resolve().as_uri()
    figures, findings = [], {}
    with devtools.Browser(program) as browser:
        went = browser.call("Page.navigate", url=address)
        if "errorText" in went:
            raise RuntimeError(f"{address} cannot be opened: {went['errorText']}")
        browser.wait_for("Page.loadEventFired")
        for look, media, scheme, width, counts in LOOKS:
            browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            browser.call("Emulation.setEmulatedMedia", media=media, features=features)
            seen = browser.evaluate((HERE / "measure.js").read_text())
            figures = [figure["title"] for figure in seen["figures"]]
            if counts:
                seen["findings"] += unpainted(browser, seen["figures"])
            for finding in seen["findings"]:
                findings.setdefault(finding, []).append(look)
            if folder:
                pathlib.Path(folder, f"{look}.png").write_bytes(whole(browser, width))
        for finding in told(browser.events, address):
            findings.setdefault(finding, []).append("page")
    lines = [f"{', '.join(dict.fromkeys(looks))}: {finding}" for finding, looks in findings.items()]
    for kind, lines in [("figure", figures), ("finding", lines)]:
        for line in lines:
            print(kind, " ".join(line.split()))


def unpainted(browser, figures):
    """Figures that look the same with and without their data."""
    shown = [figure for figure in figures if figure["box"] and figure["box"]["width"] and figure["box"]["height"]]
    with_data = [shot(browser, figure["box"], 0.5) for figure in shown]
    browser.evaluate(SHOW % "hidden")
    without = [shot(browser, figure["box"], 0.5) for figure in shown]
    browser.evaluate(SHOW % "visible")
    for figure, one, other in zip(shown, with_data, without):
        count = picture.differing(one, other, LEAST_DIFFERENCE)
        if count < LEAST_PIXELS:
            yield f"{figure['title']}: {count} pixels of its data are painted"


def whole(browser, width):
    height = browser.evaluate("document.documentElement.scrollHeight")
    return shot(browser, {"x": 0, "y": 0, "width": width, "height": height}, 1)


def shot(browser, box, scale):
    answer = browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=box | {"scale": scale})
    return base64.b64decode(answer["data"])


def told(events, address):
    """What the page said, what went wrong in it, and what it asked the network for."""
    for event in events:
        method, said = event["method"], event["params"]
        if method == "Runtime.consoleAPICalled":
            words = [str(argument.get("value", argument.get("description"))) for argument in said["args"]]
            yield f"console.{said['type']}: {' '.join(words)}"
        elif method == "Runtime.exceptionThrown":
            details = said["exceptionDetails"]
            yield f"exception: {details.get('exception', {}).get('description', details['text'])}"
        elif method == "Log.entryAdded":
            yield f"log, {said['entry']['level']}: {said['entry']['text']}"
        elif method == "Page.javascriptDialogOpening":
            yield f"dialog: {said['message']}"
        elif method == "Network.requestWillBeSent" and said["request"]["url"] != address:
            yield f"request: {said['request']['url']}"


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    with contextlib.suppress(BrokenPipeError):
        main(*sys.argv[1:])
