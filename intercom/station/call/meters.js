// The two level meters of a call: the door's sound, and ours.

import { renderLevels } from "../view.js";

export class Meters {
  #sounds;
  #microphone;
  #call = null;
  #incoming = null;
  #outgoing = null;

  constructor(sounds, microphone) {
    this.#sounds = sounds;
    this.#microphone = microphone;
  }

  follow(call) {
    this.close();
    this.#call = call;
    this.#incoming = this.#sounds.meter(call.audio);
    this.#outgoing = this.#sounds.meter(this.#microphone.stream);
    const frame = () => {
      if (call !== this.#call) return;
      if (!document.hidden) renderLevels(this.#incoming?.level() ?? 0, call.muted ? 0 : this.#outgoing?.level() ?? 0);
      requestAnimationFrame(frame);
    };
    frame();
  }

  /** Follow a microphone that came or went. */
  microphoneChanged() {
    if (this.#call === null || (this.#outgoing === null) !== (this.#microphone.track !== null)) return;
    this.#outgoing?.close();
    this.#outgoing = this.#sounds.meter(this.#microphone.stream);
  }

  close() {
    this.#incoming?.close();
    this.#outgoing?.close();
    this.#call = this.#incoming = this.#outgoing = null;
    renderLevels(0, 0);
  }
}
