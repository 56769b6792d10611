#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# page.py PAGE...: looks at pages of "uffdwp report" as a person does, in a browser without a window:
# points at the picture, drags over it, turns the wheel, goes back. Fails on any error of JavaScript,
# on anything that is loaded from elsewhere, and if a name became markup or a program. Exit status 77
# when there is no chromium: then nothing was tested.
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time


class Browser:
    """Chromium, spoken to over pipes: the DevTools protocol, messages that end with a zero byte."""

    def __init__(self, program):
        self.profile = tempfile.mkdtemp()
        to_read, self.to = os.pipe()
        self.back, back_write = os.pipe()

        def pipes():
            # 3 and 4 are what the browser reads from and writes to.
            copies = os.dup(to_read), os.dup(back_write)
            os.dup2(copies[0], 3)
            os.dup2(copies[1], 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
             "--no-first-run", "--disable-dev-shm-usage", "--window-size=1280,1400",
             "--user-data-dir=" + self.profile, "about:blank"],
            preexec_fn=pipes, close_fds=False, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(back_write)
        self.number = 0
        self.text = b""
        self.events = []
        self.session = None

    def message(self):
        while b"\0" not in self.text:
            more = os.read(self.back, 1 << 16)
            if not more:
                raise SystemExit("page.py: the browser has ended")
            self.text += more
        one, self.text = self.text.split(b"\0", 1)
        message = json.loads(one)
        # Nothing else is answered while it is open.
        if message.get("method") == "Page.javascriptDialogOpening":
            self.process.kill()
            raise SystemExit("page.py: a name was run as a program: it says '%s'" %
                             message["params"]["message"])
        return message

    def call(self, method, **params):
        self.number += 1
        request = {"id": self.number, "method": method, "params": params}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.to, json.dumps(request).encode() + b"\0")
        while True:
            message = self.message()
            if message.get("id") == self.number:
                if "error" in message:
                    raise SystemExit("page.py: %s: %s" % (method, message["error"]))
                return message["result"]
            self.events.append(message)

    def end(self):
        try:
            self.session = None
            self.call("Browser.close")
        except (SystemExit, OSError):
            self.process.kill()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)


class Page:
    def __init__(self, browser, path):
        self.browser = browser
        self.path = path
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        browser.session = browser.call("Target.attachToTarget", targetId=target,
                                       flatten=True)["sessionId"]
        browser.events = []
        for domain in "Page", "Runtime", "Log", "Network":
            browser.call(domain + ".enable")
        browser.call("Emulation.setDeviceMetricsOverride", width=1280, height=1400,
                     deviceScaleFactor=1, mobile=False)
        browser.call("Page.navigate", url="file://" + os.path.abspath(path))
        for _ in range(600):
            if self.value("document.readyState === 'complete' && "
                          "location.href !== 'about:blank'"):
                break
            time.sleep(0.1)

    def value(self, expression):
        result = self.browser.call("Runtime.evaluate", expression=expression,
                                   returnByValue=True)
        self.check("exceptionDetails" not in result, "%s: %s" % (expression, result))
        return result["result"].get("value")

    def check(self, condition, what):
        if not condition:
            raise SystemExit("page.py: %s: %s" % (self.path, what))

    def mouse(self, kind, x, y, **params):
        self.browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **params)

    def shown(self):
        return self.value("document.getElementById('shown').textContent")

    def drag(self, x, y, to_x, to_y):
        self.mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
        self.mouse("mouseMoved", (x + to_x) / 2, (y + to_y) / 2, button="left", buttons=1)
        self.mouse("mouseMoved", to_x, to_y, button="left", buttons=1)
        self.mouse("mouseReleased", to_x, to_y, button="left", buttons=0, clickCount=1)

    def picture(self):
        """A number that changes with what the canvas shows."""
        return self.value("""(function () {
            const c = document.getElementById('map'), x = c.getContext('2d');
            const d = x.getImageData(0, 0, c.width, c.height).data;
            let sum = 0, colours = new Set();
            for (let i = 0; i < d.length; i += 4) {
                sum = (sum * 31 + d[i] * 65536 + d[i + 1] * 256 + d[i + 2]) % 4294967291;
                colours.add(d[i] * 65536 + d[i + 1] * 256 + d[i + 2]);
            }
            return [sum, colours.size];
        })()""")

    def at_rest(self):
        bad = []
        for event in self.browser.events:
            method, params = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                bad.append(params["exceptionDetails"].get("text", "an exception"))
            elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
                bad.append(params["entry"]["text"])
            elif method == "Network.requestWillBeSent" and \
                    not params["request"]["url"].startswith("file://"):
                bad.append("it loads " + params["request"]["url"])
        self.check(not bad, "; ".join(bad))

    def look(self):
        box = self.value("(function () { const b = document.getElementById('map')"
                         ".getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()")
        self.check(box[2] > 600 and box[3] > 300, "the picture has no size: %s" % box)
        left, top = box[0] + 200, box[1] + 20
        right, bottom = box[0] + box[2] - 40, box[1] + box[3] - 60
        whole, first = self.shown(), self.picture()
        self.check(whole.startswith("shown: 0"), "it shows '%s'" % whole)
        self.check(first[1] > 3, "the picture has only %d colours" % first[1])

        self.mouse("mouseMoved", left + 40, top + 40)
        tip = self.value("(function () { const t = document.getElementById('tip');"
                         "return t.hidden ? '' : t.textContent; })()")
        self.check(len(tip.split("\n")) == 5 and "process" in tip and "written" in tip,
                   "pointing at it says '%s'" % tip)
        self.mouse("mouseMoved", 2, 2)
        self.check(self.value("document.getElementById('tip').hidden"), "the tip stays")

        self.drag(left + 100, top + 100, left + 400, top + 300)
        near = self.shown()
        self.check(near != whole and self.picture() != first, "dragging does nothing")
        self.mouse("mouseWheel", left + 100, top + 100, deltaX=0, deltaY=120)
        self.check(self.shown() != near, "the wheel does nothing")
        self.value("document.getElementById('reset').click()")
        self.check(self.shown() == whole and self.picture() == first, "it does not go back")

        self.mouse("mouseWheel", left + 100, top + 100, deltaX=0, deltaY=-120)
        self.check(self.shown() != whole, "the wheel does nothing")
        self.browser.call("Input.dispatchKeyEvent", type="keyDown", key="Escape")
        self.check(self.shown() == whole, "Escape does not go back")
        # Out of the picture and beyond all limits, nothing breaks.
        self.drag(left + 50, top + 50, box[0] - 50, bottom + 300)
        for _ in range(30):
            self.mouse("mouseWheel", right, bottom, deltaX=0, deltaY=-120)
        for _ in range(40):
            self.mouse("mouseWheel", right, bottom, deltaX=0, deltaY=120, modifiers=8)
        self.mouse("mousePressed", right, bottom, button="left", buttons=1, clickCount=2)
        self.mouse("mouseReleased", right, bottom, button="left", clickCount=2)
        self.value("document.getElementById('reset').click()")
        self.check(self.shown() == whole, "it does not go back")
        self.check(self.value("document.images.length + document.querySelectorAll"
                              "('script, b').length") == 2, "a name became markup")
        self.at_rest()


def main():
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if not program:
        print("skipped: there is no chromium (scripts/deps page installs it)")
        return 77
    # A page that hangs is a failure, too.
    signal.alarm(300)
    browser = Browser(program)
    try:
        for path in sys.argv[1:]:
            Page(browser, path).look()
            browser.session = None
            print("ok      %s: pointed at, dragged, zoomed, reset" % path)
    finally:
        browser.end()
    return 0


sys.exit(main())
