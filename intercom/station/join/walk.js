// "Check this device": the walk that proves, step by step, that this device rings. It opens by itself once a device has
// joined; each step can be left for later, and settings lead back to it.
//
// <body data-walk>  open | closed
// #walk  its card, with <li data-step data-state="done | todo | cannot"> for trust, name, microphone, push, open, closed
// #walk-open  opens it;  #walk-close  closes it;  #walk-later  goes on without the current step;  #walk-done  closes it at the end
// #walk-ring #walk-heard #walk-unheard  the ring with the page open;  #walk-wake  the one with the page closed

import { deviceWords, remedyWords, stepsOf } from "./steps.js";
import { t } from "../language.js";
import { element, setText } from "../view.js";

const STORAGE_KEY = "intercom.walk";
const MARKS = { done: "i-check", todo: "i-ring", cannot: "i-close" };
const RING_MAX_MS = 15_000; // time limit for the test ring to come over the socket
const HEARD_MAX_MS = 90_000; // time for which the test rings: whoever hears it has said so long before
const WAKE_IN_S = 8; // time for the owner to close the page or lock the device
const LOOK_EVERY_MS = 3000; // interval of looks for the receipt while a closed page is rung
const LOOK_FOR_MS = 90_000; // time in which a phone that sleeps deeply is woken

const NOTHING = { name: "", rangAt: 0, wokenAt: 0, shownAt: 0, trouble: "" }; // what the house knows of a device that has just joined

export class Walk {
  #parts;
  #kept = read();
  #known = NOTHING;
  #current = "";
  #picked = "";
  #ring = ""; // "" | asked | rings: the test ring with the page open
  #said = ""; // what is said in place of the current step's words, such as after a ring that was not heard
  #shownBefore = null; // time of the receipt before a closed page was rung; null while none is
  #timers = [];

  /** parts: {device, signalling, sounds, alerts, notifications, facts(): what station.js knows, turnOnBell()} */
  constructor(parts) {
    this.#parts = parts;
    const on = (id, act) => element[id].addEventListener("click", act);
    on("walk-open", () => this.#open());
    on("walk-close", () => this.#keep({ open: false }));
    on("walk-done", () => this.#keep({ open: false }));
    on("walk-later", () => this.#later());
    on("walk-rename", () => this.#rename());
    on("walk-microphone", () => parts.turnOnBell());
    on("walk-push", () => parts.notifications.turnOn());
    on("walk-ring", () => this.#askForRing());
    on("walk-heard", () => this.#heard());
    on("walk-unheard", () => this.#unheard());
    on("walk-wake", () => this.#wake());
    for (const item of this.#items) item.querySelector("button").addEventListener("click", () => this.#pick(item.dataset.step));
    parts.notifications.addEventListener("change", () => this.render());
    parts.signalling.addEventListener("room", ({ detail }) => detail.type === "intercom.test" && this.#rings());
    parts.signalling.addEventListener("state", ({ detail }) => detail.state === "registered" && this.#look());
    navigator.serviceWorker?.addEventListener("message", ({ data }) => data?.tapped && this.tapped(data.tapped));
  }

  /** Begin the walk of a device that has just joined; named: its owner chose its name. */
  begin({ named }) {
    this.#known = NOTHING;
    this.#shownBefore = null;
    this.#keep({ open: true, named, later: [] });
  }

  /** Take the address of a page that the tap on a test's notification opened. */
  followAddress() {
    if (location.hash !== "#rang") return;
    history.replaceState(null, "", location.pathname + location.search);
    this.tapped("closed");
  }

  /** Note that the test's notification was tapped; page: whether the page was "open" or "closed" when it came. */
  async tapped(page) {
    if (page === "open") {
      this.#picked = "closed";
      this.#said = t("step.in-front");
      this.#keep({ open: true });
      return;
    }
    await this.#tell(() => this.#parts.device.rang("closed"));
    this.#keep({ open: true });
  }

  /** Give way to a call, whose own bell rings now. */
  giveWay() {
    if (this.#ring !== "rings") return;
    this.#ring = "";
    this.render();
  }

  render() {
    const { facts, device } = this.#parts;
    const open = Boolean(this.#kept.open) && device.paired;
    document.body.dataset.walk = open ? "open" : "closed";
    element.walk.hidden = !open;
    if (!open) return;
    const push = document.body.dataset.push ?? "";
    const steps = stepsOf({ ...facts(), ...this.#known, push, named: this.#kept.named, waking: this.#waking });
    this.#current = this.#picked || this.#next(steps);
    for (const item of this.#items) this.#show(item, steps[item.dataset.step]);
    element["walk-later"].hidden = steps[this.#current]?.state !== "todo" || this.#ring === "rings";
    element["walk-done"].hidden = this.#current !== "";
    element["walk-trust"].hidden = steps.trust.state !== "todo";
    element["walk-trust"].href = facts().trustUrl;
    element["walk-push"].hidden = steps.push.state !== "todo";
    element["walk-microphone"].hidden = steps.microphone.state !== "todo";
    element["walk-wake"].hidden = steps.closed.state === "cannot";
    element["walk-ring"].hidden = this.#ring === "rings";
    element["walk-ring"].disabled = this.#ring === "asked";
    element["walk-ringing"].hidden = this.#ring !== "rings";
  }

  // "" | asked | arrived: how the ring of the closed page stands
  get #waking() {
    if (this.#shownBefore === null) return "";
    return this.#known.shownAt > this.#shownBefore ? "arrived" : "asked";
  }

  get #items() {
    return [...element["walk-steps"].children];
  }

  #show(item, { state, words }) {
    const current = item.dataset.step === this.#current;
    item.dataset.state = state;
    item.querySelector("button").setAttribute("aria-expanded", String(current));
    item.querySelector("use").setAttribute("href", `#${MARKS[state]}`);
    setText(item.querySelector(".step-state"), t(`step.${state}`));
    const body = item.querySelector(".step-body");
    body.hidden = !current;
    setText(body.querySelector(".step-words"), (current && this.#said) || words);
    if (current && element["walk-later"].parentElement !== body) body.append(element["walk-later"]);
  }

  // Return the first step that is to do and was not left for later; "" when none is.
  #next(steps) {
    const later = this.#kept.later ?? [];
    return this.#items.map(({ dataset }) => dataset.step).find((id) => steps[id].state === "todo" && !later.includes(id)) ?? "";
  }

  #open() {
    this.#picked = "";
    this.#keep({ open: true, later: [] });
    this.#look();
    element.walk.scrollIntoView({ block: "start" });
  }

  #pick(id) {
    this.#picked = this.#current === id ? "" : id;
    this.#said = "";
    this.render();
  }

  #later() {
    this.#keep({ later: [...(this.#kept.later ?? []), this.#current] });
    this.#goOn();
  }

  // Show the next step, and move the focus to it: the button that was pressed goes away.
  #goOn() {
    this.#picked = "";
    this.#said = "";
    this.render();
    const item = this.#items.find(({ dataset }) => dataset.step === this.#current);
    (item?.querySelector("button") ?? element["walk-done"]).focus({ preventScroll: true });
  }

  async #rename() {
    const name = element["walk-name"].value.trim();
    if (!name) return;
    if (!await this.#confirm(() => this.#parts.device.rename(name))) return;
    element["walk-name"].value = this.#known.name;
    this.#keep({ named: true });
    this.#goOn();
  }

  // Show the name as the house knows it, unless the owner is writing another.
  #showName(name) {
    const field = element["walk-name"];
    if (document.activeElement !== field && field.value === field.defaultValue) field.value = name;
    field.defaultValue = name;
  }

  // ---------------------------------------------------------------- the ring with the page open

  async #askForRing() {
    this.#said = "";
    this.#ring = "asked";
    this.render();
    const failed = () => this.#ring === "asked" && this.#unheard(t("step.no-ring"));
    this.#timers.push(setTimeout(failed, RING_MAX_MS));
    await this.#parts.device.ring("open").catch(failed);
  }

  #rings() {
    if (this.#ring !== "asked") return; // another page of this device asked
    this.#ring = "rings";
    this.#timers.push(setTimeout(() => this.#unheard(), HEARD_MAX_MS));
    this.#parts.sounds.ring();
    this.#parts.alerts.start(t("step.test-ring"));
    this.render();
    element["walk-heard"].focus({ preventScroll: true });
    element["walk-ringing"].scrollIntoView({ block: "nearest" });
  }

  #hush() {
    this.#timers.splice(0).forEach(clearTimeout);
    if (this.#ring === "rings") {
      this.#parts.sounds.silence();
      this.#parts.alerts.stop();
    }
    this.#ring = "";
  }

  async #heard() {
    this.#hush();
    if (await this.#confirm(() => this.#parts.device.rang("open"))) this.#goOn();
  }

  #unheard(words = t("step.unheard")) {
    this.#hush();
    this.#picked = "open";
    this.#said = words;
    this.render();
  }

  // ---------------------------------------------------------------- the ring with the page closed

  async #wake() {
    this.#said = "";
    try {
      await this.#parts.device.ring("closed", WAKE_IN_S);
    } catch {
      this.#said = t("step.not-woken");
      this.render();
      return;
    }
    this.#shownBefore = this.#known.shownAt;
    this.#picked = "closed";
    this.render();
    const look = setInterval(() => this.#look(), LOOK_EVERY_MS);
    setTimeout(() => clearInterval(look), LOOK_FOR_MS);
  }

  // ---------------------------------------------------------------- what the house knows

  #look() {
    return this.#tell(() => this.#parts.device.state());
  }

  // Tell the house what the owner did; return whether it took that, and say so where it did not.
  async #confirm(tell) {
    const taken = await this.#tell(tell);
    if (!taken) {
      this.#said = t("step.no-answer");
      this.render();
    }
    return taken;
  }

  // Ask or tell the house, and show what it then knows of this device; return whether it answered.
  async #tell(ask) {
    if (!this.#parts.device.paired) return false;
    const told = await ask().catch(() => null);
    if (told) {
      const { name, rang_at: rangAt, woken_at: wokenAt, shown_at: shownAt, trouble } = told;
      this.#known = { name, rangAt, wokenAt, shownAt, trouble };
      this.#showName(name);
    }
    if (told && this.#kept.open) await this.#listDevices();
    this.render();
    return told !== null;
  }

  async #listDevices() {
    const { devices } = await this.#parts.device.devices().catch(() => ({ devices: [] }));
    element["walk-house"].hidden = !devices?.length;
    element["walk-devices"].replaceChildren(...(devices ?? []).map((device) => {
      const item = document.createElement("li");
      const name = document.createElement("strong");
      name.textContent = device.name;
      item.append(name, `: ${deviceWords(device)}. ${remedyWords(device)}`);
      return item;
    }));
  }

  #keep(changes) {
    this.#kept = { ...this.#kept, ...changes };
    localStorage.setItem(STORAGE_KEY, JSON.stringify(this.#kept));
    if (!this.#kept.open) this.#hush();
    this.render();
  }
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(STORAGE_KEY)) ?? {};
  } catch {
    return {}; // not JSON: the walk is closed, and settings open it
  }
}
