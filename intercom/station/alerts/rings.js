// The rings of the house, as the space tells them: the same on every page, whoever took it and wherever.
//
// Events: "ended" {ring}: nothing may sound for this ring any more; "news" {ring}: the words for one that is over here have changed;
//         "changed" {ring}: any change of one;
//         "unheard": the house has been silent for so long that no bell may go on.

const LATE_MAX_MS = 10_000; // time for which an answer that came too late for one step of the door's plan counts for the next
const SILENT_MAX_MS = 4000; // time limit of a bell without the house: whoever took the ring meanwhile cannot tell this page

export class Rings extends EventTarget {
  #rings = new Map();
  #mine = new Set(); // ids of the rings that were answered or declined here, of which the page has its own words
  #late = { ring: "", until: 0 }; // the ring that was answered here as its step ended, and for how long that counts
  #silence = null;

  constructor(signalling) {
    super();
    signalling.addEventListener("room", ({ detail: { type, params } }) => {
      if (type === "intercom.ring") this.#take(params);
      if (type === "intercom.rings" && Array.isArray(params.rings)) this.#takeAll(params.rings);
    });
    signalling.addEventListener("state", ({ detail: { state } }) => this.#watch(state));
  }

  /** Return the ring of a call, or of its invite, as it stands; undefined where the space tells of none. */
  of(call) {
    return this.#rings.get(call.ring);
  }

  /** Note that the ring of this call was answered or declined here. */
  taken(call) {
    if (call.ring) this.#mine.add(call.ring);
  }

  /** Note that this call was answered here in the instant in which it ended: if its ring goes on, it counts for that. */
  answeredLate(call) {
    this.#mine.delete(call.ring);
    this.#late = { ring: call.ring, until: performance.now() + LATE_MAX_MS };
  }

  /** Return whether this call rings for a ring that was answered here already; it says so once. */
  takeLate(call) {
    const { ring, until } = this.#late;
    if (!ring || ring !== call.ring) return false;
    this.#late = { ring: "", until: 0 };
    return performance.now() < until;
  }

  #take(ring) {
    if (typeof ring?.ring !== "string") return;
    this.#rings.set(ring.ring, ring);
    this.#emit("changed", ring);
    if (ring.state !== "ringing") this.#emit("ended", ring);
    if ((ring.state !== "ringing" || ring.elsewhere) && !this.#mine.has(ring.ring)) this.#emit("news", ring);
  }

  // The space lists what this page has to know as it registers: what is not among it is long over.
  #takeAll(rings) {
    const listed = new Set(rings.map(({ ring }) => ring));
    for (const [id, ring] of [...this.#rings].filter(([id]) => !listed.has(id))) {
      if (ring.state === "ringing") this.#take({ ...ring, state: "lost", by: "" });
      this.#rings.delete(id);
    }
    rings.forEach((ring) => this.#take(ring));
  }

  #watch(state) {
    if (state === "registered") {
      clearTimeout(this.#silence);
      this.#silence = null;
    } else if (state === "lost") {
      this.#silence ??= setTimeout(() => this.dispatchEvent(new Event("unheard")), SILENT_MAX_MS);
    }
  }

  #emit(name, ring) {
    this.dispatchEvent(new CustomEvent(name, { detail: { ring } }));
  }
}
