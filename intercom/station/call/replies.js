// Quick replies: what the house has the door say without a conversation. The door says which it has ready; the space says
// for every page of the house what the door said, and for whom.

import { t } from "../language.js";
import { announce, setText } from "../view.js";

const REFUSED = new Set(["busy", "silent", "words"]); // words of the door for which the page has a sentence of its own

export class Replies {
  #signalling;
  #rings;
  #failed;
  #call = null; // the call whose door was asked
  #mine = ""; // what the door said in it for this page
  #panel = document.getElementById("replies");
  #said = document.getElementById("reply-said");
  #list = document.getElementById("reply-list");
  #form = document.getElementById("reply-form");
  #text = document.getElementById("reply-text");

  /** `failed` is told the code of an error. */
  constructor(signalling, rings, failed) {
    this.#signalling = signalling;
    this.#rings = rings;
    this.#failed = failed;
    rings.addEventListener("changed", () => this.#showSaid());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#text.value.trim()) this.#say(this.#text.value);
    });
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation(); // elsewhere it declines, or hangs up
      this.#type(false);
    });
  }

  /** Follow the page to its present call: a door that rings, or talks, is asked once what it has ready. */
  render({ call, state, opens }) {
    const speaks = Boolean(call) && opens && (state === "ringing" || state === "in-call");
    if (!speaks) {
      this.#call = null;
      this.#panel.hidden = true;
      return;
    }
    const buttons = document.querySelector(`.side[data-screen~="${state}"] .pair`);
    if (buttons.previousElementSibling !== this.#panel) buttons.before(this.#panel); // to move it takes the focus from it
    if (call !== this.#call) this.#begin(call);
    this.#showSaid();
  }

  async #begin(call) {
    this.#call = call;
    this.#mine = "";
    this.#list.replaceChildren();
    this.#type(false);
    this.#panel.hidden = true;
    try {
      const { replies } = await this.#ask("");
      if (call !== this.#call || !Array.isArray(replies) || !replies.length) return;
      this.#list.replaceChildren(...replies.map(({ name, text }) => this.#button(text, () => this.#say(name))),
        this.#button(t("reply.type"), () => this.#type(this.#form.hidden)));
      this.#panel.hidden = false;
    } catch {
      // an older house, or no connection: there are no replies
    }
  }

  #button(words, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "small";
    setText(button, words);
    button.addEventListener("click", act);
    return button;
  }

  #ask(words) {
    return this.#signalling.request("intercom.say", { callID: this.#call.id, words });
  }

  async #say(words) {
    const call = this.#call;
    this.#disable(true);
    try {
      const { said, refused } = await this.#ask(words);
      if (call !== this.#call) return;
      if (typeof said !== "string") throw Object.assign(new Error("refused"), { code: REFUSED.has(refused) ? refused : "refused" });
      this.#mine = said;
      this.#type(false);
      this.#showSaid();
      announce(t("reply.said", { text: said }));
    } catch ({ code }) {
      if (call === this.#call) this.#failed(`reply-${code === "offline" || REFUSED.has(code) ? code : "refused"}`);
    } finally {
      this.#disable(false);
    }
  }

  #disable(disabled) {
    for (const control of this.#panel.querySelectorAll("button, input")) control.disabled = disabled;
  }

  #type(open) {
    this.#form.hidden = !open;
    this.#list.lastElementChild?.setAttribute("aria-expanded", String(open));
    this.#text.value = "";
    if (open) this.#text.focus();
  }

  #showSaid() {
    const { reply, replied_by: by } = (this.#call && this.#rings.of(this.#call)) ?? {};
    const words = reply ? (by ? t("reply.by", { by, text: reply }) : t("reply.itself", { text: reply }))
      : this.#mine && t("reply.said", { text: this.#mine });
    setText(this.#said, words);
    this.#said.hidden = !words;
  }
}
