// "Add a device": a dialog over the ready page with a fresh code to scan or type.
//
// The page shows the QR code's SVG document as a picture, in which no script runs.

import { t, timeWords } from "../language.js";
import { element } from "../view.js";

const HERE = ["localhost", "127.0.0.1", "[::1]"];
const LIFETIME_MS = 600_000; // lifetime of a code when the house states none

export class Invitation {
  #device;
  #failed;
  #asked = 0;
  #timer = null;

  /** device: see device.js. failed(code): called when the house makes no code. */
  constructor(device, failed) {
    this.#device = device;
    this.#failed = failed;
    element["add-device"].addEventListener("click", () => this.#open());
    element["invite-again"].addEventListener("click", () => this.#open());
    element["invite-close"].addEventListener("click", () => this.close());
    element.invite.addEventListener("close", () => this.#clear());
  }

  /** Close the dialog for a call, which may have come before the code. */
  close() {
    this.#asked += 1;
    element.invite.close();
  }

  async #open() {
    const asked = this.#asked += 1;
    const stale = () => asked !== this.#asked;
    element["add-device"].ariaBusy = "true"; // not disabled: the focus is to return here
    try {
      const invitation = await this.#device.invite();
      if (!stale()) this.#show(invitation);
    } catch (error) {
      if (stale()) return;
      this.close();
      this.#failed(error.code ?? "bad-answer");
    } finally {
      element["add-device"].ariaBusy = "false";
    }
  }

  #show({ url, code, qr, lifetimeMs }) {
    this.#clear();
    const left = lifetimeMs ?? LIFETIME_MS;
    element["invite-qr"].src = URL.createObjectURL(new Blob([qr], { type: "image/svg+xml" }));
    element["invite-page"].textContent = url.href.split("#")[0];
    element["invite-code"].textContent = code;
    element["invite-good"].textContent = t("invite.until", { time: timeWords(new Date(Date.now() + left)) });
    element["invite-here"].hidden = !HERE.includes(url.hostname);
    this.#old(false);
    this.#timer = setTimeout(() => this.#old(true), left);
    if (!element.invite.open) element.invite.showModal();
  }

  #old(old) {
    element["invite-fresh"].hidden = old;
    element["invite-old"].hidden = !old;
  }

  #clear() {
    clearTimeout(this.#timer);
    URL.revokeObjectURL(element["invite-qr"].src);
    element["invite-qr"].removeAttribute("src");
    element["invite-page"].textContent = "";
    element["invite-code"].textContent = "";
  }
}
