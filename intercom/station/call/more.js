// "This call": who talks, the keys of a telephone, and what happened since it began.
//
// #more  the dialog, which #more-open opens in a call;  #people  its members;  #keypad  its keys;  #happened  its story

import { t, timeWords } from "../language.js";
import { element, onAnnounce } from "../view.js";
import { errorWords } from "../words.js";

const KEYS = new Set("0123456789*#");
const TYPED_SHOWN = 12; // limit of keys that stay to be read: a telephone shows as many

export class More {
  #model;
  #room;
  #call = null;
  #error = "";

  constructor(model, room) {
    this.#model = model;
    this.#room = room;
    element["more-open"].addEventListener("click", () => this.#open());
    element["more-close"].addEventListener("click", () => this.close());
    element.keypad.addEventListener("click", ({ target }) => this.#press(target.closest("button")?.value));
    element.more.addEventListener("keydown", ({ key }) => this.#press(key));
    room.addEventListener("change", () => this.#showPeople());
    onAnnounce((words) => this.#call?.talking && this.#note(words));
  }

  /** Give way to somebody who rings beside the call. */
  close() {
    element.more.close();
  }

  /** Follow the page's state. */
  render() {
    const { call, error, state } = this.#model;
    element["more-open"].hidden = state !== "in-call";
    if (state !== "in-call") this.close();
    if (call !== this.#call) this.#begin(call);
    if (error !== this.#error && call && error) this.#note(errorWords(error));
    this.#error = error;
  }

  #begin(call) {
    this.#call = call;
    element.happened.replaceChildren();
    element["keys-typed"].textContent = "";
    if (call) this.#note(t(call.direction === "inbound" ? "happened.rang" : "happened.called", { name: call.from.name }));
  }

  #open() {
    this.#showPeople();
    element.more.showModal();
  }

  #showPeople() {
    const people = this.#room.people.length ? this.#room.people : [{ name: this.#call?.from.name ?? "" }, { me: true }];
    element.people.replaceChildren(...people.map(({ name, me, muted }) => {
      const item = document.createElement("li");
      const who = me ? t("levels.you") : name;
      item.textContent = muted ? t("people.muted", { who }) : who;
      return item;
    }));
  }

  #press(key) {
    if (!KEYS.has(key) || !this.#call?.talking) return;
    this.#call.sendKey(key).catch(() => this.#note(t("keys.lost")));
    element["keys-typed"].textContent = (element["keys-typed"].textContent + key).slice(-TYPED_SHOWN);
  }

  #note(words) {
    if (!this.#call || !words) return;
    const item = document.createElement("li");
    const time = document.createElement("time");
    time.textContent = timeWords(new Date());
    item.append(time, ` ${words}`);
    element.happened.append(item);
  }
}
