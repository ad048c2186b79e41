// The two level meters of a call: the door's sound, and ours.

import { renderLevels } from "../view.js";

const LOOK_MS = 50; // interval of the looks at the levels: one at each frame of the screen took a quarter of what the page takes in a call

export class Meters {
  #sounds;
  #microphone;
  #call = null;
  #incoming = null;
  #outgoing = null;
  #timer = null;

  constructor(sounds, microphone) {
    this.#sounds = sounds;
    this.#microphone = microphone;
  }

  follow(call) {
    this.close();
    this.#call = call;
    this.#incoming = this.#sounds.meter(call.audio);
    this.#outgoing = this.#sounds.meter(this.#microphone.stream);
    this.#timer = setInterval(() => {
      if (!document.hidden) renderLevels(this.#incoming?.level() ?? 0, call.muted ? 0 : this.#outgoing?.level() ?? 0);
    }, LOOK_MS);
  }

  /** Follow a microphone that came or went. */
  microphoneChanged() {
    if (this.#call === null || (this.#outgoing === null) !== (this.#microphone.track !== null)) return;
    this.#outgoing?.close();
    this.#outgoing = this.#sounds.meter(this.#microphone.stream);
  }

  close() {
    clearInterval(this.#timer);
    this.#incoming?.close();
    this.#outgoing?.close();
    this.#call = this.#incoming = this.#outgoing = null;
    renderLevels(0, 0);
  }
}
