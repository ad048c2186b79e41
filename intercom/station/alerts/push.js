// "Notifications": lets this device ring while the page is closed (Web Push), says in words how that stands, and tries it.
//
// <body data-push>  on | off | denied | unsupported | untrusted | home-screen | failed (none before it is known)
// Event: "change" when that may have changed.
// #push  the button that turns it on or off;  #push-test  rings this device as a test;  #push-words  how it stands

import { t } from "../language.js";
import { element } from "../view.js";
import { pushTestWords, pushWords } from "../words.js";

const APPLE_TOUCH = /iPhone|iPad|iPod/;

export class Notifications extends EventTarget {
  #device;
  #registration = null;
  #said = "";

  constructor(device) {
    super();
    this.#device = device;
    element.push.addEventListener("click", () => (this.#state === "on" ? this.#busy(() => this.#turnOff()) : this.turnOn()));
    element["push-test"].addEventListener("click", () => this.#busy(() => this.#test()));
    navigator.serviceWorker?.addEventListener("message", ({ data }) => {
      if (data?.shown === "test") this.#say(pushTestWords({ shown: true }));
    });
  }

  /** Take the page's worker, or null where the browser refuses it, and bring browser and house to the same state. */
  async follow(registration) {
    this.#registration = registration;
    await this.#busy(() => this.#align());
  }

  turnOn() {
    return this.#busy(() => this.#turnOn());
  }

  get #state() {
    return document.body.dataset.push ?? "";
  }

  #show(state) {
    document.body.dataset.push = state;
    element.push.hidden = !["on", "off", "failed"].includes(state);
    element["push-test"].hidden = state !== "on";
    element.push.textContent = t(state === "on" ? "ready.turn-off" : "ready.turn-on");
    element["push-words"].textContent = this.#said || pushWords(state);
    this.dispatchEvent(new Event("change"));
  }

  #say(words) {
    this.#said = words;
    this.#show(this.#state);
  }

  async #busy(act) {
    element["push-row"].ariaBusy = "true";
    this.#said = "";
    try {
      await act();
    } catch {
      this.#show("failed");
    } finally {
      element["push-row"].ariaBusy = "false";
    }
  }

  // Return why this browser cannot be rung while the page is closed; "" if it can.
  #obstacle() {
    if (!this.#registration) return "untrusted";
    if ("pushManager" in this.#registration && globalThis.Notification) return Notification.permission === "denied" ? "denied" : "";
    const touch = APPLE_TOUCH.test(navigator.userAgent) || (/Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1);
    return touch && !navigator.standalone ? "home-screen" : "unsupported";
  }

  // The browser may have dropped its subscription, or the house forgotten it, since the page was last open.
  async #align() {
    const obstacle = this.#obstacle();
    if (!this.#device.paired || obstacle) {
      this.#show(obstacle || "off");
      return;
    }
    const subscription = await this.#registration.pushManager.getSubscription();
    if (!subscription) {
      this.#show("off");
      return;
    }
    const { key, endpoint } = await this.#device.push();
    if (encoded(subscription.options.applicationServerKey) !== key) await this.#subscribe(key, subscription);
    else {
      if (endpoint !== subscription.endpoint) await this.#device.subscribe(subscription);
      await keepForWorker(subscription);
    }
    this.#show("on");
  }

  async #turnOn() {
    if (await Notification.requestPermission() !== "granted") {
      this.#show(this.#obstacle() || "off");
      return;
    }
    const { key } = await this.#device.push();
    await this.#subscribe(key, await this.#registration.pushManager.getSubscription());
    this.#show("on");
  }

  async #subscribe(key, before) {
    if (before && encoded(before.options.applicationServerKey) !== key) await before.unsubscribe(); // another house's, or a lost key's
    const options = { userVisibleOnly: true, applicationServerKey: key };
    const subscription = await this.#registration.pushManager.subscribe(options);
    await this.#device.subscribe(subscription);
    await keepForWorker(subscription);
  }

  async #turnOff() {
    const subscription = await this.#registration.pushManager.getSubscription();
    await this.#device.unsubscribe();
    await subscription?.unsubscribe();
    this.#show("off");
  }

  async #test() {
    element["push-words"].textContent = t("test.ringing");
    const { fate, told, shown_ms: shownMs } = await this.#device.ringMe();
    this.#said = pushTestWords({ fate, told, shown: shownMs !== null, shownMs });
    this.#show(fate === "gone" ? "off" : "on");
  }
}

/** Keep what the house knows where the worker finds it: no browser tells it the former subscription for sure. */
export async function keepForWorker(subscription) {
  const { endpoint, keys } = subscription.toJSON();
  const known = { endpoint, auth: keys.auth, key: encoded(subscription.options.applicationServerKey) };
  const cache = await caches.open("intercom-push");
  await cache.put("subscription", new Response(JSON.stringify(known)));
}

function encoded(key) {
  const bytes = String.fromCharCode(...new Uint8Array(key ?? new ArrayBuffer(0)));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
