// The visitors' list: who rang when, what came of it, and a picture where the house keeps one.
//
// What was missed is marked until this device has shown it: each person of the house is to learn for themselves whom
// they missed, and a tablet on the wall that somebody looked at says nothing of the others. So the mark is the page's
// own, in localStorage: the number of the newest change that it has shown. A device that joins begins with nothing missed.
//
// For tests: #visitors-open and its #visitors-count on the ready page; the dialog #visitors with .visit rows, each with
// .visit-open and .visit-delete; #visitors-clear and #visitors-sure; the dialog #visit with the large picture.

import { MessagePlayer, Messages, messageWords } from "./messages.js";
import { Pictures } from "./pictures.js";
import { Rows } from "./rows.js";
import { Visits } from "./visits.js";
import { isMissed, outcomeWords, placeWords, replyWords } from "./words.js";
import { dayWords, momentWords, t, timeWords } from "../language.js";
import { errorWords } from "../words.js";

const SEEN_KEY = "intercom.visitors";
const MIDNIGHT_LOOK_MS = 60_000; // interval at which an open list looks whether "Today" is still today

const at = (id) => document.getElementById(id);

export class Visitors {
  #visits;
  #pictures;
  #messages;
  #player;
  #rows;
  #shownFrom = 0; // the mark as the list was opened: what changed after it is new
  #lookedAt = null; // the visit whose picture is large
  #day = "";
  #badge = null;
  #known = { row: 0, day: 0 };

  constructor(device, signalling) {
    this.#visits = new Visits(device);
    this.#pictures = new Pictures(device);
    this.#messages = new Messages(device, signalling);
    this.#player = new MessagePlayer(this.#messages);
    this.#rows = new Rows(at("visitors-scroll"), at("visitors-list"),
      { make: () => at("visit-row").content.firstElementChild.cloneNode(true), fill: (row, item) => this.#fill(row, item), seen: () => this.#readOn() });
    for (const list of [this.#visits, this.#messages]) list.addEventListener("change", () => this.#render());
    signalling.addEventListener("state", ({ detail: { state } }) => {
      if (state === "registered") this.#refresh();
      if (state === "refused") localStorage.removeItem(SEEN_KEY); // it joins anew, perhaps another house
    });
    signalling.addEventListener("room", ({ detail: { type, params } }) => type === "intercom.visitors" && this.#hear(params));
    document.addEventListener("visibilitychange", () => this.#markSeen());
    setInterval(() => this.#isOpen && this.#day !== new Date().toDateString() && this.#render(), MIDNIGHT_LOOK_MS);
    this.#wire();
  }

  /** Close the list: somebody rings, or this device is no longer the house's. */
  close() {
    at("visit").close();
    at("visitors").close();
  }

  get #isOpen() {
    return at("visitors").open;
  }

  #wire() {
    const on = (id, act) => at(id).addEventListener("click", act);
    on("visitors-open", () => this.#open());
    on("visitors-close", () => this.close());
    on("visitors-clear", () => this.#ask(true));
    on("visitors-keep", () => this.#ask(false));
    on("visitors-sure", () => this.#deleteAll());
    on("visit-close", () => at("visit").close());
    on("visit-delete", () => this.#delete(this.#lookedAt));
    at("visitors").addEventListener("close", () => this.#closed());
    at("visit").addEventListener("close", () => {
      at("visit-picture").removeAttribute("src");
      this.#player.stop();
    });
    at("visitors-list").addEventListener("click", ({ target }) => {
      const visit = this.#visits.items.find(({ id }) => String(id) === target.closest(".visit")?.dataset.visit);
      if (visit && target.closest(".visit-delete")) this.#delete(visit);
      else if (visit && target.closest(".visit-open")) this.#look(visit);
    });
  }

  // ------------------------------------------------------------------ what was missed

  get #seen() {
    return Number(localStorage.getItem(SEEN_KEY)) || 0;
  }

  async #refresh() {
    if (this.#isOpen) await this.#visits.readAnew();
    const told = await this.#visits.count(this.#seen);
    if (!told) return;
    const { keeps, version } = told;
    const joined = keeps === true && localStorage.getItem(SEEN_KEY) === null;
    if (!joined && version >= this.#seen) return;
    localStorage.setItem(SEEN_KEY, joined ? version : 0); // a list of lower numbers is another one
    await this.#visits.count(this.#seen);
  }

  #hear(params) {
    if (this.#isOpen && this.#visits.take(params)) this.#visits.readAnew();
    this.#markSeen();
    const over = params.anew || params.gone?.length || params.visitors?.some(({ state }) => state !== "ringing");
    if (over && !this.#isSeen) this.#visits.count(this.#seen); // while it rings the house has better to do
  }

  get #isSeen() {
    return this.#isOpen && !document.hidden;
  }

  #markSeen() {
    if (!this.#isSeen) return;
    localStorage.setItem(SEEN_KEY, Math.max(this.#seen, this.#visits.version));
    this.#visits.allSeen();
  }

  // ------------------------------------------------------------------ the list

  async #open() {
    this.#shownFrom = this.#seen;
    this.#ask(false);
    at("visitors").showModal();
    this.#rows.scrollToStart();
    await this.#visits.readAnew();
    this.#markSeen();
    this.#render();
  }

  #closed() {
    this.#visits.forget();
    this.#pictures.forget();
    this.#rows.show([]);
    this.#renderCount();
  }

  #readOn() {
    if (this.#rows.atEnd) this.#visits.readOn();
  }

  #render() {
    this.#renderCount();
    if (!this.#isOpen) return;
    const { items, total, trouble } = this.#visits;
    this.#day = new Date().toDateString();
    this.#measure();
    this.#rows.show(this.#dated(items), Math.max(0, total - items.length), this.#known.row);
    const words = trouble ? errorWords(trouble) : total ? "" : t("visitors.none");
    if (at("visitors-words").textContent !== words) at("visitors-words").textContent = words;
    at("visitors-words").hidden = !words;
    at("visitors-clear").hidden = !items.length || !at("visitors-ask").hidden;
    if (!items.length) this.#ask(false);
    this.#readOn();
  }

  #renderCount() {
    const { keeps, missed } = this.#visits;
    at("visitors-open").hidden = !keeps;
    at("visitors-count").hidden = !missed;
    at("visitors-count").textContent = missed ? t("visitors.missed", { count: missed }) : "";
    if (missed === this.#badge) return;
    this.#badge = missed;
    const shown = missed ? navigator.setAppBadge?.(missed) : navigator.clearAppBadge?.();
    shown?.catch(() => {}); // a page that is not installed has no icon
  }

  // The heights of a row and of a day's name, as the style sheet has them: they grow with the letters.
  #measure() {
    const style = getComputedStyle(at("visitors-list"));
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    this.#known = { row: parseFloat(style.getPropertyValue("--row")) * rem, day: parseFloat(style.getPropertyValue("--day")) * rem };
  }

  // Return the rows of these visits: the first of each day bears the day's name.
  #dated(visits) {
    let last = "";
    return visits.map((visit) => {
      const began = new Date(visit.began_at * 1000);
      const day = began.toDateString();
      const named = day !== last;
      last = day;
      return { key: visit.id, height: this.#known.row + (named ? this.#known.day : 0), visit, began, named };
    });
  }

  #fill(row, { visit, began, named }) {
    const part = (name) => row.querySelector(`.${name}`);
    row.dataset.visit = visit.id;
    row.classList.toggle("is-missed", isMissed(visit));
    row.classList.toggle("is-new", isMissed(visit) && visit.version > this.#shownFrom);
    part("visit-day").hidden = !named;
    part("visit-day").textContent = named ? dayWords(began, new Date()) : "";
    part("visit-new").textContent = t("visit.new");
    part("visit-new").hidden = !row.classList.contains("is-new");
    part("visit-who").textContent = placeWords(visit);
    const message = this.#messages.of(visit.ring);
    const more = [message && messageWords(message), replyWords(visit).at(-1)].filter(Boolean);
    part("visit-what").textContent = [outcomeWords(visit), ...more].join(". ");
    part("visit-time").textContent = timeWords(began);
    part("visit-time").dateTime = began.toISOString();
    part("visit-delete").setAttribute("aria-label", t("visit.delete-named", { door: placeWords(visit), time: momentWords(visit.began_at) }));
    if (visit.picture) this.#pictures.show(visit.id, part("visit-face"));
    else part("visit-face").hidden = true;
  }

  // ------------------------------------------------------------------ one visit

  #look(visit) {
    this.#lookedAt = visit;
    at("visit-title").textContent = placeWords(visit);
    at("visit-outcome").textContent = outcomeWords(visit);
    at("visit-outcome").classList.toggle("missed", isMissed(visit));
    at("visit-replies").replaceChildren(...replyWords(visit).map(line));
    at("visit-replies").hidden = !visit.replies?.length;
    at("visit-moment").textContent = momentWords(visit.began_at);
    at("visit-picture").hidden = true;
    this.#player.show(visit.ring);
    at("visit").showModal();
    if (visit.picture) this.#pictures.show(visit.id, at("visit-picture"));
  }

  async #delete(visit) {
    const { items } = this.#visits;
    const place = items.findIndex(({ id }) => id === visit.id);
    const next = items[place + 1] ?? items[place - 1];
    try {
      await this.#visits.delete(visit.id);
    } catch ({ code }) {
      this.#tell(errorWords(code));
      return;
    }
    this.#pictures.forget(visit.id);
    at("visit").close();
    if (next) this.#rows.focus(next.id, ".visit-delete");
    else at("visitors-close").focus();
  }

  // ------------------------------------------------------------------ all visits

  #ask(asks) {
    const focused = at("visitors-ask").contains(document.activeElement) || document.activeElement === at("visitors-clear");
    at("visitors-ask").hidden = !asks;
    at("visitors-clear").hidden = asks || !this.#visits.items.length;
    if (focused) at(asks ? "visitors-keep" : this.#visits.items.length ? "visitors-clear" : "visitors-close").focus();
  }

  async #deleteAll() {
    try {
      await this.#visits.deleteAll();
    } catch ({ code }) {
      this.#tell(errorWords(code));
      return;
    }
    this.#pictures.forget();
    this.#ask(false);
  }

  #tell(words) {
    at("visitors-words").textContent = words;
    at("visitors-words").hidden = false;
  }
}

function line(words) {
  const item = document.createElement("li");
  item.textContent = words;
  return item;
}
