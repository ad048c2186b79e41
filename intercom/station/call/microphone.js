// The resident's microphone: held only while the house rings or talks, let go at once afterwards.
//
// Events: "change" whenever track, permission or error have changed.

import { StationError } from "../words.js";

const CONSTRAINTS = { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } };
const ERROR_CODES = {
  NotAllowedError: "microphone-refused",
  SecurityError: "microphone-refused",
  NotFoundError: "microphone-missing",
  OverconstrainedError: "microphone-missing",
  NotReadableError: "microphone-busy",
  AbortError: "microphone-busy",
};

export class Microphone extends EventTarget {
  #wanted = false;
  #asking = null;

  track = null;
  stream = null;
  permission = "prompt"; // "granted" | "prompt" | "denied"
  error = ""; // error code of words.js while the microphone is wanted but missing

  constructor() {
    super();
    navigator.mediaDevices?.addEventListener?.("devicechange", () => {
      if (this.#wanted && !this.track) this.acquire().catch(() => {});
    });
    this.#watchPermission();
  }

  /** Open the microphone; the browser may ask the resident. Throws StationError. */
  acquire() {
    this.#wanted = true;
    if (this.track) return Promise.resolve(this.track);
    this.#asking ??= this.#open().finally(() => { this.#asking = null; });
    return this.#asking;
  }

  /** Wait until the pending request is granted or denied; return at once if there is none. */
  async whenSettled() {
    await this.#asking?.catch(() => {});
  }

  release() {
    this.#wanted = false;
    this.#drop();
    this.#update("");
  }

  /** Ask for the permission once, ahead of the first call, and let go of the microphone again. */
  async askPermission() {
    const before = this.#wanted;
    try {
      await this.acquire();
    } finally {
      if (!before) this.release();
    }
  }

  async #open() {
    if (!navigator.mediaDevices?.getUserMedia) throw this.#fail("insecure");
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia(CONSTRAINTS);
    } catch (error) {
      if (error.name === "NotAllowedError") this.permission = "denied";
      throw this.#fail(ERROR_CODES[error.name] ?? "microphone-busy");
    }
    this.permission = "granted";
    this.stream = stream;
    this.track = stream.getAudioTracks()[0];
    this.track.addEventListener("ended", () => {
      this.#drop();
      this.#update(this.#wanted ? "microphone-lost" : "");
      if (this.#wanted) this.acquire().catch(() => {});
    }, { once: true });
    if (!this.#wanted) this.#drop(); // the page released it while the browser was still asking
    this.#update("");
    return this.track;
  }

  #drop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.track = null;
  }

  #fail(code) {
    this.#update(this.#wanted ? code : "");
    return new StationError(code);
  }

  #update(error) {
    this.error = error;
    this.dispatchEvent(new Event("change"));
  }

  async #watchPermission() {
    try {
      const status = await navigator.permissions.query({ name: "microphone" });
      const update = () => {
        this.permission = status.state;
        this.#update(this.permission === "granted" && this.error === "microphone-refused" ? "" : this.error);
        if (this.permission === "granted" && this.#wanted && !this.track) this.acquire().catch(() => {});
      };
      status.addEventListener("change", update);
      update();
    } catch {
      this.#update(this.error); // the browser has no such query: the first request tells
    }
  }
}
