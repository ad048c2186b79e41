"""Waiting in the page: its policy forbids the eval that Playwright's own wait_for_function needs."""

from playwright.async_api import Page

PATIENCE_MS = 30_000


async def until(page: Page, condition: str) -> None:
    """Wait until a JavaScript expression is true; looked at once per animation frame."""
    held = await page.evaluate(
        f"""() => new Promise((resolve) => {{
            const end = performance.now() + {PATIENCE_MS};
            const look = () => {{
                if ({condition}) resolve(true);
                else if (performance.now() > end) resolve(false);
                else requestAnimationFrame(look);
            }};
            look();
        }})"""
    )
    assert held, f"not true within {PATIENCE_MS} ms: {condition}"


async def state(page: Page, name: str) -> None:
    """Wait until the page shows this state."""
    await page.wait_for_selector(f"body[data-state={name}]", timeout=PATIENCE_MS)


async def loudest_hz(page: Page) -> float:
    """The strongest frequency in what the page plays from the door, Hz (resolution 6 Hz at 48 kHz)."""
    found: float = await page.evaluate(
        """async () => {
            const context = new AudioContext();
            const analyser = new AnalyserNode(context, { fftSize: 8192 });
            context.createMediaStreamSource(document.querySelector("#remote-audio").srcObject).connect(analyser);
            const bins = new Float32Array(analyser.frequencyBinCount);
            await new Promise((resolve) => setTimeout(resolve, 700));
            analyser.getFloatFrequencyData(bins);
            const hz = bins.indexOf(Math.max(...bins)) * context.sampleRate / analyser.fftSize;
            await context.close();
            return hz;
        }"""
    )
    return found
