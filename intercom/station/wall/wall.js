// A tablet on the wall: its screen stays on, dims while nobody is near, and wakes when it rings.
//
// <body data-wall>  on | off: the switch #wall, which "?kiosk" in the page's address turns on
// <body data-dim>   no | idle | night: how dark the page is
// #dim  lies over a dimmed page, so that the tap that wakes it presses nothing;  #wall-settings  shows the settings there

import { element } from "../view.js";

const IDLE_MS = 60_000; // time without a touch after which the page dims: the hall is empty again
const NIGHT = { from: 22, to: 6 }; // hours in which it is darker, by the tablet's own clock
const LOOK_EVERY_MS = 1000;

/** Return whether the page's address makes this device a wall tablet. */
export function isKiosk(address = location) {
  return new URLSearchParams(address.search).has("kiosk");
}

export class Wall {
  #on = false;
  #state = "";
  #touchedAt = performance.now();
  #left;

  /** `left` is called as the page dims: whoever has opened something on it is gone. */
  constructor(left) {
    this.#left = left;
    element.dim.addEventListener("click", () => this.#wake());
    for (const gesture of ["pointerdown", "pointermove", "keydown"]) {
      document.addEventListener(gesture, (event) => this.#near(event), { capture: true, passive: true });
    }
    element["wall-settings"].addEventListener("click", () => {
      const shown = document.body.classList.toggle("settings");
      element["wall-settings"].setAttribute("aria-expanded", String(shown));
    });
    setInterval(() => this.#render(), LOOK_EVERY_MS);
  }

  /** Whether this device hangs on a wall. */
  get on() {
    return this.#on;
  }

  set on(on) {
    this.#on = on;
    document.body.dataset.wall = on ? "on" : "off";
    this.#render();
  }

  /** Follow the page's state: each change of it is worth a look. */
  follow(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#wake();
  }

  // A finger on the dimmed page wakes it by its click, which comes later: it must find the cover still there.
  #near({ target, pointerType }) {
    if (target !== element.dim || pointerType === "mouse") this.#touchedAt = performance.now();
    if (pointerType === "mouse") this.#render();
  }

  #wake() {
    this.#touchedAt = performance.now();
    this.#render();
  }

  #render() {
    const idle = this.#on && this.#state === "ready" && performance.now() - this.#touchedAt > IDLE_MS;
    const hour = new Date().getHours();
    const dim = !idle ? "no" : hour >= NIGHT.from || hour < NIGHT.to ? "night" : "idle";
    const dims = element.dim.hidden && dim !== "no";
    if (document.body.dataset.dim !== dim) document.body.dataset.dim = dim;
    element.dim.hidden = dim === "no";
    if (dims) this.#left();
  }
}
