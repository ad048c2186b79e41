// Pairing: claims the code of a link, or of the form, for this device.

import { suggestedName } from "../house/device.js";
import { element } from "../view.js";

const UNNAMED = "Station"; // name in a link for no particular device: the device then names itself

export class Pairing {
  #device;
  #done;
  #failed;
  #named = false;

  /** done({named}): called when the device has joined; named: its owner chose the name. failed(code): what is in the way. */
  constructor(device, { done, failed }) {
    this.#device = device;
    this.#done = done;
    this.#failed = failed;
    element["pair-name"].value = suggestedName();
    element["pair-name"].addEventListener("input", () => { this.#named = true; });
    element["pair-form"].addEventListener("submit", (event) => {
      event.preventDefault();
      this.pair();
    });
  }

  /** Whether a code waits that was not used. */
  get waits() {
    return element["pair-code"].value !== "";
  }

  /** Take the code of a pairing link out of the address; a device that has joined does not use it up. */
  codeFromAddress() {
    const fragment = new URLSearchParams(location.hash.slice(1));
    const code = fragment.get("pair");
    if (code === null) return;
    history.replaceState(null, "", location.pathname + location.search);
    element["pair-code"].value = code;
    const name = fragment.get("name") ?? "";
    if (name && name !== UNNAMED) {
      element["pair-name"].value = name.slice(0, 40);
      this.#named = true;
    }
    if (!this.#device.paired) this.pair();
  }

  async pair() {
    const code = element["pair-code"].value.trim();
    if (!code) {
      this.#failed("code-missing");
      return;
    }
    element.pair.disabled = true;
    try {
      await this.#device.pair(code, element["pair-name"].value.trim() || suggestedName());
      element["pair-code"].value = "";
      this.#done({ named: this.#named });
    } catch (error) {
      this.#failed(error.code ?? "bad-answer");
    } finally {
      element.pair.disabled = false;
    }
  }
}
