// The microphone and the loudspeaker of calls, as the owner chose them. One that is gone is not waited for: the usual one
// takes its place, and it is used again once it is back. The bell keeps to the device's own loudspeaker.

import { t } from "../language.js";
import { element } from "../view.js";

const ALIASES = new Set(["default", "communications"]); // Chromium lists these beside the devices that they stand for

export class Devices {
  #settings;
  #microphone;
  #player;

  /** player: the element that plays the call's sound. changed(): called when the owner has chosen. */
  constructor(settings, microphone, player, changed) {
    this.#settings = settings;
    this.#microphone = microphone;
    this.#player = player;
    const choose = (id, name) => element[id].addEventListener("input", () => {
      settings[name] = element[id].value;
      changed();
      this.#use();
    });
    choose("microphone", "microphone");
    choose("speaker", "speaker");
    navigator.mediaDevices?.addEventListener?.("devicechange", async () => {
      await this.look();
      if (element.microphone.value) microphone.chosenIsBack();
    });
    microphone.choose(settings.microphone); // it may ring before the browser has listed the devices
    microphone.addEventListener("change", () => this.look()); // the names are told once the microphone is allowed
    this.look();
  }

  /** Look which devices there are, and use the chosen ones. */
  async look() {
    const found = await navigator.mediaDevices?.enumerateDevices?.().catch(() => []) ?? [];
    this.#offer("microphone", found.filter(({ kind }) => kind === "audioinput"), this.#settings.microphone);
    this.#offer("speaker", "setSinkId" in this.#player ? found.filter(({ kind }) => kind === "audiooutput") : [], this.#settings.speaker);
    this.#use();
  }

  #offer(id, found, chosen) {
    const devices = found.filter(({ deviceId, label }) => deviceId && label && !ALIASES.has(deviceId));
    element[`${id}-row`].hidden = devices.length < 2;
    const options = [new Option(t("devices.usual"), ""), ...devices.map(({ deviceId, label }) => new Option(label, deviceId))];
    const same = [...element[id].options].map(({ value, text }) => value + text).join() === options.map(({ value, text }) => value + text).join();
    if (!same) element[id].replaceChildren(...options);
    element[id].value = devices.some(({ deviceId }) => deviceId === chosen) ? chosen : "";
  }

  #use() {
    this.#microphone.choose(this.#settings.microphone);
    if ("setSinkId" in this.#player && this.#player.sinkId !== element.speaker.value) {
      this.#player.setSinkId(element.speaker.value).catch(() => {}); // it went at this moment: "devicechange" follows
    }
  }
}
