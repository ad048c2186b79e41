// The door's lock in a call: asks the door to open, and shows what the door says of it.

import { t } from "../language.js";
import { announce } from "../view.js";
import { doorError } from "../words.js";

const OPEN_CONFIRM_MS = 3000; // time limit for the relay's answer; a later one is reported as a fault

export class Lock {
  #model;
  #update;
  #opened;
  #timer = null;

  /** `opened` is called when the door has opened. */
  constructor(model, update, opened) {
    this.#model = model;
    this.#update = update;
    this.#opened = opened;
  }

  open() {
    const { state, opens, opening, call } = this.#model;
    if (state !== "in-call" || !opens) return false;
    if (opening === "asked") return true;
    this.#update({ opening: opening === "open" ? "open" : "asked", error: "" }); // a repeat while the door is open: it stays open longer
    const failed = (error) => {
      if (call !== this.#model.call) return;
      this.forget();
      this.#update({ opening, error });
    };
    this.forget();
    if (opening !== "open") this.#timer = setTimeout(() => failed("door-silent"), OPEN_CONFIRM_MS);
    call.openDoor().catch(({ code }) => failed(code === "offline" ? "door-offline" : "door-refused"));
    return true;
  }

  changed({ state, reason, seconds }) {
    const { opens, opening, error } = this.#model;
    if (!opens) return; // what a phone says of a door counts for nothing
    this.forget();
    if (state === "refused") {
      this.#update({ opening: opening === "open" ? "open" : "closed", error: doorError(reason, seconds) });
      return;
    }
    if (state === "open" && opening !== "open") this.#opened();
    announce(t(state === "open" ? "say.door-open" : "say.door-closed"));
    this.#update({ opening: state, error: error.startsWith("door-") ? "" : error });
  }

  /** Wait for no answer of the door any more. */
  forget() {
    clearTimeout(this.#timer);
  }
}
