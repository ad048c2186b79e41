"""Waiting in the page: its policy forbids the eval that Playwright's own wait_for_function needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:  # a home is tested also where no browser is
    from playwright.async_api import BrowserContext, Page

PATIENCE_MS = 60_000
LOOK_EVERY_MS = 20
"""Interval of the looks: one per frame has the browser draw frames in which nothing has changed."""
Of = TypeVar("Of", "BrowserContext", "Page")


def patient(of: Of) -> Of:
    """Give a page, or all pages of a profile, the time of a busy machine, wherever a test names no other."""
    of.set_default_timeout(PATIENCE_MS)
    return of


async def until(page: Page, condition: str) -> None:
    """Wait until a JavaScript expression is true."""
    held = await page.evaluate(
        f"""() => new Promise((resolve) => {{
            const end = performance.now() + {PATIENCE_MS};
            const look = () => {{
                if ({condition}) resolve(true);
                else if (performance.now() > end) resolve(false);
                else setTimeout(look, {LOOK_EVERY_MS});
            }};
            look();
        }})"""
    )
    assert held, f"not true within {PATIENCE_MS} ms: {condition}"


async def state(page: Page, name: str) -> None:
    """Wait until the page shows this state."""
    await page.wait_for_selector(f"body[data-state={name}]", timeout=PATIENCE_MS)


async def hears(page: Page, tone_hz: float) -> None:
    """Wait until this tone is the loudest of what the page plays from the door."""
    loudest_hz: float = await page.evaluate(
        """async ({toneHz, limitMs}) => {
            const context = new AudioContext();
            const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
            context.createMediaStreamSource(document.querySelector("#remote-audio").srcObject).connect(analyser);
            const bins = new Float32Array(analyser.frequencyBinCount);
            const end = performance.now() + limitMs;
            let hz = 0;
            while (Math.abs(hz - toneHz) > 50 && performance.now() < end) {
                await new Promise((resolve) => setTimeout(resolve, 50));
                analyser.getFloatFrequencyData(bins);
                hz = bins.indexOf(Math.max(...bins)) * context.sampleRate / analyser.fftSize;
            }
            await context.close();
            return hz;
        }""",
        {"toneHz": tone_hz, "limitMs": PATIENCE_MS},
    )
    assert abs(loudest_hz - tone_hz) <= 50


async def remember(page: Page) -> None:
    """Let a page keep what it shows for a moment only, between two looks of a test: see `showed`."""
    await page.add_init_script(
        """window.shown = new Set();
        new MutationObserver((changes) => changes.forEach(({ target, attributeName, oldValue }) => {
            window.shown.add(`${attributeName}=${oldValue}`);
            window.shown.add(`${attributeName}=${target.getAttribute(attributeName)}`);
        })).observe(document, {
            subtree: true, attributeFilter: ["data-state", "data-door"], attributeOldValue: true,
        });"""
    )


async def showed(page: Page, what: str) -> None:
    """Wait until a page shows something, or has shown it since it was loaded, as `data-state=ringing`."""
    await until(page, f"window.shown.has({what!r})")
