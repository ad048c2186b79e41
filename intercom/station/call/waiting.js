// Those who ring while this page is busy with another: each in a banner of its own, with its name and its picture, to
// answer or to decline with a tap. What the page is busy with goes on undisturbed; a soft knock tells of them.
//
// #waiting  the banners, each a copy of #waiting-one: .waiting-still .waiting-face .waiting-name .waiting-answer .waiting-decline
// #another  that somebody else pressed at the door with which this page talks, hidden after a while

import { Face } from "../picture/face.js";
import { announce, setText } from "../view.js";
import { t } from "../language.js";

const ANOTHER_MS = 30_000; // time for which it is said that somebody else pressed

export class Waiting {
  #page;
  #signalling;
  #sounds;
  #list = document.getElementById("waiting");
  #template = document.getElementById("waiting-one");
  #another = document.getElementById("another");
  #shown = new Map(); // call -> {item, face}
  #timer = null;

  /**
   * page: {present(): the call that the page is busy with, still(): its picture, ring(call, still), answer(), hangup(),
   * declined(call): told of a call that is declined}
   */
  constructor(signalling, sounds, page) {
    this.#page = page;
    this.#signalling = signalling;
    this.#sounds = sounds;
  }

  /** Return the call of this id that waits, if there is one. */
  find(id) {
    return [...this.#shown.keys()].find((call) => call.id === id);
  }

  /** Show a call that rings; return a promise that resolves once its picture is there. */
  add(call, still = null) {
    const item = this.#template.content.firstElementChild.cloneNode(true);
    const part = (name) => item.querySelector(`.waiting-${name}`);
    const face = new Face(this.#signalling, part("face"), { ahead: false });
    setText(part("name"), call.from.name);
    setText(part("words"), t("waiting.rings"));
    for (const [name, act] of [["answer", () => this.#answer(call)], ["decline", () => this.#decline(call)]]) {
      setText(part(name), t(`waiting.${name}`));
      part(name).ariaLabel = t(`waiting.${name}-whom`, { name: call.from.name });
      part(name).addEventListener("click", act);
    }
    face.addEventListener("change", () => {
      part("face").classList.toggle("live", face.live && !face.frozen);
      part("still").classList.toggle("live", Boolean(face.still) && !face.live);
      if (face.still) part("still").src = face.still.url;
    });
    this.#shown.set(call, { item, face });
    this.#list.append(item);
    this.#render();
    if (!call.silent) this.#sounds.knock();
    announce(t("waiting.announced", { name: call.from.name }));
    const seen = face.watch(call.opens ? { callID: call.id } : null);
    if (still) face.show(still);
    return seen;
  }

  /** Show this call no more; return the picture of its press, if there is one. */
  remove(call) {
    const shown = this.#shown.get(call);
    if (!shown) return null;
    const { item, face } = shown;
    const { still } = face;
    this.#shown.delete(call);
    face.close();
    item.remove();
    this.#render();
    if (!this.#shown.size) this.#sounds.hush();
    return still;
  }

  /** Return the call that has waited longest. */
  get first() {
    return this.#shown.keys().next().value ?? null;
  }

  get calls() {
    return [...this.#shown.keys()];
  }

  /** Say that somebody else pressed at this door, with which the page talks. */
  pressed(door) {
    const words = t("waiting.pressed", { name: door });
    setText(this.#another, words);
    this.#another.hidden = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.forget(), ANOTHER_MS);
    if (!this.#shown.size) this.#sounds.knock(1);
    announce(words);
  }

  /** Say so no more: the call is over. */
  forget() {
    clearTimeout(this.#timer);
    this.#another.hidden = true;
  }

  // Answer a call that waits: the one that is talked in ends, one that only rings waits in its place.
  #answer(call) {
    const { present, still, ring, answer, hangup } = this.#page;
    if (present().status !== "ringing") hangup(); // whoever has waited longest rings now
    const [before, picture] = [present(), still()];
    if (before !== call) {
      ring(call, this.remove(call));
      this.add(before, picture);
    }
    answer();
  }

  #decline(call) {
    this.#page.declined(call);
    call.hangup();
  }

  #render() {
    this.#list.hidden = !this.#shown.size;
  }
}
