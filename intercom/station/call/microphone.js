// The resident's microphone: held only while the house rings or talks, let go at once afterwards.
//
// Another app may take it, as a telephone call does: the track falls silent or ends. It is asked for anew as soon as the
// page is looked at.
//
// Events: "change" whenever track, permission or error have changed.

import { StationError } from "../words.js";

const CONSTRAINTS = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const SILENT_AFTER_MS = 1000; // time after which a silent track is a lost one: a change of the sound's route takes less
const RETRY_MS = 5000; // interval of requests for a microphone that another app holds
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
  #chosen = ""; // id of the device that the owner chose; "": the browser's
  #silence = null;
  #retry = null;

  track = null;
  stream = null;
  permission = "prompt"; // "granted" | "prompt" | "denied"
  error = ""; // error code of words.js while the microphone is wanted but missing

  constructor() {
    super();
    navigator.mediaDevices?.addEventListener?.("devicechange", () => {
      if (this.#wanted && !this.track) this.acquire().catch(() => {});
    });
    document.addEventListener("visibilitychange", () => this.#recover());
    this.#watchPermission();
  }

  /** Use the device of this id where it is there ("": the browser's own choice), from now on. */
  choose(id) {
    if (id === this.#chosen) return;
    this.#chosen = id;
    if (this.track) this.#openAnew();
  }

  /** Change to the chosen device, which is there again. */
  chosenIsBack() {
    if (this.track && this.track.getSettings().deviceId !== this.#chosen) this.#openAnew();
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
    this.#stopRetrying();
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
      stream = await this.#request();
    } catch (error) {
      if (error.name === "NotAllowedError" && !document.hidden) this.permission = "denied"; // hidden pages are not asked for
      throw this.#fail(ERROR_CODES[error.name] ?? "microphone-busy");
    }
    this.permission = "granted";
    this.stream = stream;
    this.track = stream.getAudioTracks()[0];
    this.#stopRetrying();
    this.#watchTrack(this.track);
    if (!this.#wanted) this.#drop(); // the page released it while the browser was still asking
    this.#update("");
    return this.track;
  }

  async #request() {
    const ask = (device) => navigator.mediaDevices.getUserMedia({ audio: { ...CONSTRAINTS, ...device } });
    if (!this.#chosen) return ask({});
    try {
      return await ask({ deviceId: { exact: this.#chosen } });
    } catch (error) {
      if (error.name !== "OverconstrainedError") throw error;
      return ask({}); // the chosen one is gone
    }
  }

  #watchTrack(track) {
    const present = (act) => () => track === this.track && act();
    track.addEventListener("ended", present(() => this.#lost()));
    const suspect = present(() => {
      clearTimeout(this.#silence);
      this.#silence = setTimeout(present(() => track.muted && this.#fellSilent()), SILENT_AFTER_MS);
    });
    track.addEventListener("mute", suspect);
    if (track.muted) suspect();
    track.addEventListener("unmute", present(() => {
      if (this.error === "microphone-taken") this.#update("");
    }));
  }

  #lost() {
    this.#drop();
    if (!this.#wanted) return;
    this.#update(document.hidden ? "microphone-taken" : "microphone-lost");
    if (!document.hidden) this.acquire().catch(() => {}); // told by its own event
  }

  #fellSilent() {
    this.#update("microphone-taken");
    this.#retry ??= setInterval(() => this.#recover(), RETRY_MS);
  }

  // Ask anew for a microphone that another app has taken; only a page that is looked at may.
  #recover() {
    if (!document.hidden && this.#wanted && (!this.track || this.track.muted)) this.#openAnew();
  }

  #stopRetrying() {
    clearInterval(this.#retry);
    this.#retry = null;
  }

  #openAnew() {
    this.#drop();
    this.#update(this.error);
    this.acquire().catch(() => {}); // told by its own event
  }

  #drop() {
    clearTimeout(this.#silence);
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
