// The visitors' messages: which visits have one, their films, and the player in the dialog of a visit.
//
// A film is fetched with the device's secret, in pieces: a slow network carries none as a whole within the time that a
// request has. What plays is a blob: URL, which no other page can open.
//
// For tests: in the dialog #visit, #message with #message-play, #message-delete and the <video> #message-film.

import { t } from "../language.js";
import { errorWords } from "../words.js";

const PIECE = 256 * 1024; // bytes fetched at once

const at = (id) => document.getElementById(id);

/** Event: "change" (of() may answer otherwise). */
export class Messages extends EventTarget {
  #device;
  #all = new Map(); // by the ring that they follow

  constructor(device, signalling) {
    super();
    this.#device = device;
    signalling.addEventListener("state", ({ detail: { state } }) => state === "registered" && this.#read());
    signalling.addEventListener("room", ({ detail: { type, params } }) => type === "intercom.messages" && this.#take(params));
  }

  /** Return the message that a visitor left after a ring, or undefined. */
  of(ring) {
    return this.#all.get(ring);
  }

  /** Fetch the film of a message; `told` hears which share of it has come. Throws StationError. */
  async film({ door, id, bytes }, told) {
    const pieces = [];
    for (let from = 0; from < bytes; from += PIECE) {
      pieces.push(await this.#device.messagePiece(door, id, from, Math.min(from + PIECE, bytes) - 1));
      told(Math.min(from + PIECE, bytes) / bytes);
    }
    return new Blob(pieces, { type: "video/mp4" });
  }

  /** Delete a message on every device of the house. Throws StationError. */
  async delete({ door, id, ring }) {
    await this.#device.deleteMessage(door, id);
    this.#take({ gone: [ring] });
  }

  async #read() {
    try {
      const { messages } = await this.#device.messages();
      this.#all = new Map(messages.map((message) => [message.ring, message]));
      this.dispatchEvent(new Event("change"));
    } catch {
      // no connection, or an older house: the page reads again as it registers
    }
  }

  #take({ left, gone = [] }) {
    if (left) this.#all.set(left.ring, left);
    for (const ring of gone) this.#all.delete(ring);
    this.dispatchEvent(new Event("change"));
  }
}

export class MessagePlayer {
  #messages;
  #message = null;
  #turn = 0; // counts up as another message is shown: a film of before is for nobody

  constructor(messages) {
    this.#messages = messages;
    at("message-play").addEventListener("click", () => this.#play());
    at("message-delete").addEventListener("click", () => this.#delete());
    at("message-film").addEventListener("loadedmetadata", ({ target }) => target.classList.toggle("sound-alone", !target.videoWidth));
    messages.addEventListener("change", () => this.#message && messages.of(this.#message.ring) !== this.#message && this.show(this.#message.ring));
  }

  /** Show the message of a visit, if it has one. */
  show(ring) {
    this.stop();
    this.#message = this.#messages.of(ring) ?? null;
    at("message").hidden = !this.#message;
    at("message-play").hidden = false;
    at("message-words").textContent = this.#message ? messageWords(this.#message) : "";
  }

  /** Stop playing, and forget the film. */
  stop() {
    const film = at("message-film");
    this.#turn += 1;
    this.#message = null;
    film.hidden = true;
    film.pause();
    URL.revokeObjectURL(film.src);
    film.removeAttribute("src");
  }

  async #play() {
    const [turn, message, film] = [this.#turn, this.#message, at("message-film")];
    const say = (words) => { if (turn === this.#turn) at("message-words").textContent = words; };
    at("message-play").hidden = true;
    try {
      const blob = await this.#messages.film(message, (share) => say(t("message.comes", { percent: Math.round(share * 100) })));
      if (turn !== this.#turn) return;
      say(messageWords(message));
      film.src = URL.createObjectURL(blob);
      film.hidden = false;
      at("visit-picture").hidden = true;
      await film.play().catch(() => {}); // a browser that asks for one more tap shows its own button
    } catch ({ code }) {
      say(errorWords(code));
      at("message-play").hidden = turn !== this.#turn;
    }
  }

  async #delete() {
    const message = this.#message;
    try {
      await this.#messages.delete(message);
      at("visit-close").focus();
    } catch ({ code }) {
      at("message-words").textContent = errorWords(code);
    }
  }
}

/** Return what the list says of a message. */
export function messageWords({ seconds }) {
  return t("message.length", { seconds });
}
