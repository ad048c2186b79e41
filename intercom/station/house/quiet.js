// "Quiet": when this device, or the whole house, rings without a sound or not at all. The space keeps it and tells every
// page; this page only shows what it told, and asks.
//
// <body data-quiet>  device | house | both | none (none before it is known)
// #quiet-now  says it on the ready page, hidden while it rings;  #quiet-state  the same in a few words
// #quiet-for  for how long;  #quiet-on #quiet-off  this device;  #quiet-house-on #quiet-house-off  the whole house
// #quiet-from #quiet-to  the daily hours of this device;  #quiet-notify  whether rings are shown without a sound
// #quiet-trouble  why a change was not taken

import { setText } from "../view.js";
import { momentWords, t, timeWords } from "../language.js";

const METHOD = "intercom.quiet";
const HOUR_S = 3600;
const HOURS = [0, 1, 2, 4, 8, 12]; // the choices for how long; 0: until it is turned off
const SOON_S = 20 * HOUR_S; // time within which an hour alone is not mistaken for that of another day

const ids = ["quiet-now", "quiet-state", "quiet-for", "quiet-on", "quiet-off", "quiet-house-on", "quiet-house-off", "quiet-from", "quiet-to",
  "quiet-notify", "quiet-trouble"];

export class Quiet {
  #signalling;
  #element = Object.fromEntries(ids.map((id) => [id, document.getElementById(id)]));
  #device = null; // {quiet, until, begins, ends, notify}, as the space tells it
  #house = null;

  constructor(signalling) {
    this.#signalling = signalling;
    signalling.addEventListener("room", ({ detail: { type, params } }) => type === METHOD && this.#take(params));
    this.#element["quiet-for"].replaceChildren(...HOURS.map((hours) => new Option(hours ? t("quiet.hours", { count: hours }) : t("quiet.for-good"), hours)));
    const on = (id, event, act) => this.#element[id].addEventListener(event, act);
    on("quiet-on", "click", () => this.#ask({ of: "device", quiet: true, ...this.#time }));
    on("quiet-off", "click", () => this.#ask({ of: "device", quiet: false }));
    on("quiet-house-on", "click", () => this.#ask({ of: "house", quiet: true, ...this.#time }));
    on("quiet-house-off", "click", () => this.#ask({ of: "house", quiet: false }));
    for (const id of ["quiet-from", "quiet-to", "quiet-notify"]) on(id, "change", () => this.#setHours());
  }

  get #time() {
    const hours = Number(this.#element["quiet-for"].value);
    return hours ? { for_s: hours * HOUR_S } : {};
  }

  #setHours() {
    const { "quiet-from": from, "quiet-to": to, "quiet-notify": notify } = this.#element;
    this.#ask({ of: "device", begins: from.value, ends: to.value, notify: notify.checked });
  }

  async #ask(wish) {
    let trouble = "";
    try {
      this.#take(await this.#signalling.request(METHOD, wish));
    } catch {
      trouble = t("quiet.trouble");
      this.#show(); // the fields say again what holds
    }
    setText(this.#element["quiet-trouble"], trouble);
  }

  #take({ device, house }) {
    this.#device = device;
    this.#house = house;
    this.#show();
  }

  #show() {
    const [device, house] = [this.#device, this.#house];
    if (!device || !house) return;
    const element = this.#element;
    document.body.dataset.quiet = device.quiet && house.quiet ? "both" : device.quiet ? "device" : house.quiet ? "house" : "none";
    const words = [device.quiet && t("quiet.device", { until: until(device) }), house.quiet && t("quiet.house", { until: until(house) })].filter(Boolean);
    const shown = [device, house].every(({ quiet, notify }) => !quiet || notify);
    setText(element["quiet-now"], words.length ? `${words.join(" ")} ${t(shown ? "quiet.shown" : "quiet.spared")}` : "");
    element["quiet-now"].hidden = !words.length;
    setText(element["quiet-state"], t(words.length ? "quiet.on" : "quiet.off"));
    element["quiet-on"].hidden = device.quiet;
    element["quiet-off"].hidden = !device.quiet;
    element["quiet-house-on"].hidden = house.quiet;
    element["quiet-house-off"].hidden = !house.quiet;
    set(element["quiet-from"], device.begins);
    set(element["quiet-to"], device.ends);
    element["quiet-notify"].checked = device.notify;
  }
}

// Set a field's value unless the resident is about to change it.
function set(field, value) {
  if (document.activeElement !== field) field.value = value;
}

function until({ until: end }) {
  if (end === null) return t("quiet.until-off");
  const words = end * 1000 - Date.now() < SOON_S * 1000 ? timeWords(new Date(end * 1000)) : momentWords(end);
  return t("quiet.until", { time: words });
}
