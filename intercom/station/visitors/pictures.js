// The pictures of visits: fetched with the device's secret as their rows are seen, and forgotten with the list.

const KEPT_MAX = 60; // limit of pictures in memory: some 3 MB
const AT_ONCE = 3; // limit of pictures that are fetched at a time
const SETTLE_MS = 150; // time for which a row is seen before its picture is fetched: a quick scroll fetches none
const AGAIN_MS = 1500; // delay after the house asks for fewer requests

export class Pictures {
  #device;
  #urls = new Map();
  #wanted = new Map();
  #fetching = 0;
  #timer = null;

  constructor(device) {
    this.#device = device;
  }

  /** Show the picture of a visit in an <img>, once it is there and if the image is still in the document. */
  show(id, image) {
    const url = this.#urls.get(id);
    if (image.dataset.visit === String(id) && image.src === url) return;
    image.dataset.visit = id;
    if (url) {
      this.#put(image, url);
      return;
    }
    image.hidden = true;
    this.#wanted.set(image, id);
    this.#later(SETTLE_MS);
  }

  /** Forget the picture of a visit, or all. */
  forget(id) {
    for (const [known, url] of [...this.#urls]) {
      if (id !== undefined && known !== id) continue;
      URL.revokeObjectURL(url);
      this.#urls.delete(known);
    }
    if (id === undefined) this.#wanted.clear();
  }

  #later(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fetchSome(), ms);
  }

  #fetchSome() {
    for (const [image, id] of this.#wanted) {
      if (this.#fetching >= AT_ONCE) return;
      this.#wanted.delete(image);
      if (image.isConnected && image.dataset.visit === String(id)) this.#fetch(id, image);
    }
  }

  async #fetch(id, image) {
    let pauseMs = 0;
    this.#fetching += 1;
    try {
      const url = this.#urls.get(id) ?? URL.createObjectURL(await this.#device.visitorPicture(id));
      this.#keep(id, url);
      if (image.dataset.visit === String(id)) this.#put(image, url);
    } catch ({ code }) {
      if (code === "too-many") this.#wanted.set(image, id);
      pauseMs = code === "too-many" ? AGAIN_MS : 0;
    } finally {
      this.#fetching -= 1;
      this.#later(pauseMs);
    }
  }

  #keep(id, url) {
    this.#urls.delete(id);
    this.#urls.set(id, url);
    const [oldest] = this.#urls;
    if (this.#urls.size <= KEPT_MAX) return;
    URL.revokeObjectURL(oldest[1]);
    this.#urls.delete(oldest[0]);
  }

  #put(image, url) {
    image.src = url;
    image.hidden = false;
  }
}
