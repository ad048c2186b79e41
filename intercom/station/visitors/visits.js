// The visits that this page knows: read page by page, the newest first, and kept up to date by the house's events.
//
// Event: "change" (.items, .total, .missed, .keeps have changed).

const PAGE = 200; // visits read at once, the most that the house gives
const AGAIN_MS = 1000; // delay before the next try after a read that failed

export class Visits extends EventTarget {
  #device;
  #reading = null;
  #gone = new Set(); // ids of visits that were deleted meanwhile: this page may hear of it twice
  #epoch = 0; // counts up as the list is read anew: an answer of before is for nobody
  #counts = 0; // how often the house was asked how many were missed
  #counted = 0; // the latest of these whose answer is known, or needed no more: an answer of before is for nobody

  items = []; // as the house describes them, the newest first
  total = 0; // how many the house keeps
  version = 0; // number of the newest change that this page knows
  missed = 0; // how many were missed that this device has not shown
  keeps = false; // whether the house keeps visits at all
  trouble = ""; // error code of the last read that failed

  constructor(device) {
    super();
    this.#device = device;
  }

  /** Whether there are older visits than this page knows. */
  get more() {
    return this.items.length < this.total;
  }

  /** Read how many were missed after the change `seen`; return what the house says, {keeps, version}, or null. */
  async count(seen) {
    const count = this.#counts += 1;
    let told;
    try {
      told = await this.#device.visitors({ limit: 0, seen });
    } catch {
      return null; // no connection, or a house that knows no list: the page counts again as it registers
    }
    if (count > this.#counted) {
      this.#counted = count;
      Object.assign(this, { keeps: told.keeps === true, total: told.total, missed: told.missed, version: told.version });
      this.#changed();
    }
    return told;
  }

  /** Take it that this device has shown whatever was missed. */
  allSeen() {
    this.#counted = this.#counts;
    this.missed = 0;
  }

  /** Read the newest visits, in place of those that are known. */
  readAnew() {
    this.#epoch += 1;
    this.#reading = null;
    return this.#read({ anew: true });
  }

  /** Read the next older ones; does nothing while some are being read. */
  readOn() {
    if (this.more && !this.#reading) this.#read({ anew: false });
  }

  /** Take what the house tells of the list: {visitors, gone}, or {anew}; return whether the list must be read anew. */
  take({ visitors = [], gone = [], anew = false }) {
    if (anew) return true;
    const news = gone.filter((id) => !this.#gone.has(id));
    news.forEach((id) => this.#gone.add(id));
    const changed = new Map(visitors.map((visit) => [visit.id, visit]));
    const kept = this.items.filter(({ id }) => !this.#gone.has(id));
    const newest = this.items[0]?.id ?? 0;
    const added = visitors.filter(({ id }) => id > newest).sort((a, b) => b.id - a.id);
    this.items = [...added, ...kept.map((visit) => changed.get(visit.id) ?? visit)];
    this.total = Math.max(this.items.length, this.total + added.length - news.length);
    this.version = Math.max(this.version, ...visitors.map(({ version }) => version));
    this.#changed();
    return false;
  }

  /** Delete one; it is gone from this page at once. Throws StationError if the house does not. */
  async delete(id) {
    await this.#device.deleteVisitor(id);
    this.take({ gone: [id] });
  }

  /** Delete all that this page knows of, and those before them. Throws StationError if the house does not. */
  async deleteAll() {
    if (!this.items.length) return;
    await this.#device.deleteVisitors(this.items[0].id);
    await this.readAnew();
  }

  /** Forget what was read; the count stays. */
  forget() {
    this.#epoch += 1;
    this.#reading = null;
    this.items = [];
  }

  async #read({ anew }) {
    const epoch = this.#epoch;
    const before = anew ? undefined : this.items.at(-1)?.id;
    const reading = this.#reading = this.#device.visitors({ limit: PAGE, before });
    try {
      const page = await reading;
      if (epoch !== this.#epoch) return;
      const newer = anew ? this.items.filter(({ version }) => version > page.version) : [];
      this.items = [...(anew ? [] : this.items), ...page.visitors.filter(({ id }) => !this.#gone.has(id))];
      this.total = page.visitors.length ? page.total : this.items.length;
      Object.assign(this, { keeps: page.keeps === true, version: Math.max(page.version, this.version), trouble: "" });
      if (newer.length) this.take({ visitors: newer });
    } catch ({ code }) {
      if (epoch !== this.#epoch) return;
      this.trouble = code ?? "bad-answer";
      await new Promise((resolve) => { setTimeout(resolve, AGAIN_MS); });
      if (epoch !== this.#epoch) return;
    }
    this.#reading = null;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
