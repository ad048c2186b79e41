// Alerts for the resident besides the bell: title, vibration, notification, and a screen that stays on.

import { t } from "../language.js";

const TITLE_EVERY_MS = 1000; // interval of the title's blinking: the shortest that a background tab's timer keeps
const VIBRATION_MS = [400, 200, 400, 2000];
const VIBRATION_EVERY_MS = 3000;

export class Alerts {
  #title = document.title;
  #timers = [];
  #notification = null;
  #tag = "ringing";
  #registration = null;
  #wakeLock = null;
  #keepAwake = false;

  constructor() {
    document.addEventListener("visibilitychange", () => this.#holdScreen());
  }

  get registration() {
    return this.#registration;
  }

  /** Use this service worker, which may show notifications where a page may not (Android). */
  set registration(registration) {
    this.#registration = registration;
  }

  get permission() {
    return globalThis.Notification?.permission ?? "denied";
  }

  async askPermission() {
    if (this.permission === "default") await Notification.requestPermission();
  }

  /** Start the alerts, with these words in notification and title; a push about `ring` has its notification. A silent one is seen alone. */
  start(words, ring = "", { silent = false } = {}) {
    this.stop();
    this.#tag = ring || "ringing";
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    let shown = true;
    document.title = `\u{1F514} ${words}`;
    if (!still) {
      this.#timers.push(setInterval(() => {
        shown = !shown;
        document.title = shown ? `\u{1F514} ${words}` : this.#title;
      }, TITLE_EVERY_MS));
    }
    const vibrate = () => navigator.userActivation?.hasBeenActive && navigator.vibrate?.(VIBRATION_MS);
    if (!silent) {
      vibrate();
      this.#timers.push(setInterval(vibrate, VIBRATION_EVERY_MS));
    }
    if (document.hidden && this.permission === "granted") this.#notify(words, silent);
  }

  stop() {
    this.#timers.splice(0).forEach(clearInterval);
    document.title = this.#title;
    if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(0);
    this.#notification?.close();
    this.#notification = null;
    this.#registration?.active.postMessage({ over: true, tag: this.#tag });
  }

  /** Keep the screen lit while this is true and the page is in front. */
  set keepAwake(keepAwake) {
    this.#keepAwake = keepAwake;
    this.#holdScreen();
  }

  #notify(words, silent) {
    if (this.#registration) {
      this.#registration.active.postMessage({ rings: words, tap: t("notice.tap"), silent, tag: this.#tag });
      return;
    }
    try {
      this.#notification = new Notification(words, { body: t("notice.tap"), tag: this.#tag, icon: "icons/192.png", renotify: !silent, silent });
      this.#notification.addEventListener("click", () => window.focus());
    } catch {
      this.#notification = null; // Android lets only the service worker show it: bell and title remain
    }
  }

  async #holdScreen() {
    if (!this.#keepAwake) {
      this.#wakeLock?.release();
      this.#wakeLock = null;
      return;
    }
    if (document.hidden || (this.#wakeLock && !this.#wakeLock.released)) return;
    try {
      this.#wakeLock = await navigator.wakeLock?.request("screen") ?? null;
      if (!this.#keepAwake) this.#holdScreen();
    } catch {
      this.#wakeLock = null; // a low battery forbids it: the page asks again when it comes to the front
    }
  }
}
