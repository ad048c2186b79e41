// The end of a long call: the time that is left, once the door says that it is near, and the button "Talk on".

import { t } from "../language.js";
import { announce, setText } from "../view.js";
import { elapsedWords } from "../words.js";

const SHOW_MS = 500; // interval at which the time is shown

export class Ending {
  #call = null; // the call whose end is near
  #endsAt = 0; // by performance.now()
  #timer = null;
  #row = document.getElementById("ending");
  #left = document.getElementById("ending-left");

  /** `failed` is told the code of an error. */
  constructor(failed) {
    document.getElementById("talk-on").addEventListener("click", () => {
      this.#call?.talkOn().catch(({ code }) => failed(code === "offline" ? "talk-offline" : "talk-refused"));
    });
  }

  /** Follow a call to its end. */
  follow(call) {
    call.addEventListener("talk", ({ detail }) => this.#told(call, detail));
    call.addEventListener("status", () => call.over && call === this.#call && this.#show(null));
  }

  #told(call, { talk, seconds }) {
    if (talk === "ending" && Number.isFinite(seconds)) {
      this.#endsAt = performance.now() + seconds * 1000;
      announce(t("ending.near", { seconds: Math.round(seconds) }));
      this.#show(call);
    } else if (talk === "on" && call === this.#call) {
      announce(t("ending.on"));
      this.#show(null);
    }
  }

  #show(call) {
    this.#call = call;
    clearInterval(this.#timer);
    this.#row.hidden = call === null;
    if (call === null) return;
    this.#tick();
    this.#timer = setInterval(() => this.#tick(), SHOW_MS);
  }

  #tick() {
    setText(this.#left, t("ending.left", { time: elapsedWords(this.#endsAt - performance.now()) }));
  }
}
