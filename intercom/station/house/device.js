// The device's identity to the house: its pairing, its secret and its tokens (the space's HTTP calls).
//
// The secret lives in localStorage and goes nowhere but into the Authorization header of the token call.

import { t } from "../language.js";
import { StationError } from "../words.js";

const STORAGE_KEY = "intercom.device";
const SOCKET_TIMEOUT_MS = 5000; // time limit for a test socket, which may need a second connection
const REQUEST_TIMEOUT_MS = 8000; // time limit of an HTTP request: the house's own network answers in milliseconds

export class Device {
  #stored;
  #storage;

  constructor(storage = localStorage) {
    this.#storage = storage;
    this.#stored = read(storage);
  }

  get paired() {
    return this.#stored !== null;
  }

  get address() {
    return this.#stored?.address ?? "";
  }

  forget() {
    this.#stored = null;
    this.#storage.removeItem(STORAGE_KEY);
  }

  /** Claim a one-time code and get this device's own secret; the code is used up once the device is in at its socket. */
  async pair(code, name) {
    const { relay_url } = await request("hello", {});
    if (!(await opens(relayAddress(relay_url)).catch(() => false))) throw new StationError("socket-refused");
    const { device_secret, subscriber, address } = await request("pair", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ code, name }),
    }, { refused: "code-refused", conflict: "code-claimed" });
    if (typeof device_secret !== "string" || !device_secret) throw new StationError("bad-answer");
    this.#stored = { secret: device_secret, subscriber, address };
    this.#storage.setItem(STORAGE_KEY, JSON.stringify(this.#stored));
  }

  /** Request a code for one more device; return {url, code, qr, lifetimeMs}, where qr is an SVG document. */
  async invite() {
    const invitation = await this.#ask("pairing", "POST");
    const { url, code, qr } = invitation;
    if (typeof code !== "string" || typeof qr !== "string") throw new StationError("bad-answer");
    return { url: address(url), code, qr, lifetimeMs: lifetime(invitation) };
  }

  /** Return {key, endpoint}: the house's key for push services, and where it pushes to for this device ("": nowhere). */
  push() {
    return this.#ask("push", "GET");
  }

  /** Let the house push to this subscription. */
  subscribe(subscription) {
    return this.#ask("push/subscription", "POST", subscription);
  }

  unsubscribe() {
    return this.#ask("push/subscription", "DELETE");
  }

  /** Let the house push a test; return {fate, told, shown_ms}. */
  ringMe() {
    return this.#ask("push/test", "POST");
  }

  /** Return what the house knows of this device: {name, rang_at, woken_at, push, shown_at, trouble}. */
  state() {
    return this.#ask("device", "GET");
  }

  rename(name) {
    return this.#ask("device", "POST", { name });
  }

  /** Let the house ring this device as a test, its page being "open" or "closed", in some seconds. */
  ring(page, inS = 0) {
    return this.#ask("device/ring", "POST", { page, in_s: inS });
  }

  /** Tell the house that the owner heard this device ring. */
  rang(page) {
    return this.#ask("device/rang", "POST", { page });
  }

  /** Return {devices}: how far each device of the house is reached. */
  devices() {
    return this.#ask("push/devices", "GET");
  }

  /** Return {keeps, visitors, total, version, missed}: visits of lower ids than `before`, and what is missed since the change `seen`. */
  visitors({ before, limit, seen = 0 }) {
    const asked = new URLSearchParams({ limit, seen, ...(before && { before }) });
    return this.#ask(`visitors?${asked}`, "GET");
  }

  /** Return the picture of a visit as a Blob. */
  visitorPicture(id) {
    return this.#ask(`visitors/${id}/picture`, "GET", undefined, { as: "blob" });
  }

  deleteVisitor(id) {
    return this.#ask(`visitors/${id}`, "DELETE");
  }

  /** Delete the visits up to this id. */
  deleteVisitors(until) {
    return this.#ask(`visitors?until=${until}`, "DELETE");
  }

  /** Return {messages}: what visitors left, the newest first. */
  messages() {
    return this.#ask("messages", "GET");
  }

  /** Return the bytes of a message from one place to another, both included, as a Blob. */
  messagePiece(door, id, from, to) {
    return this.#ask(`messages/${door}/${id}`, "GET", undefined, { as: "blob", range: `bytes=${from}-${to}` });
  }

  deleteMessage(door, id) {
    return this.#ask(`messages/${door}/${id}`, "DELETE");
  }

  /** Return {relayUrl, token, lifetimeMs}. Throws StationError "unpaired" if the house has removed this device. */
  async credentials() {
    if (!this.#stored) throw new StationError("unpaired");
    const headers = { Authorization: `Bearer ${this.#stored.secret}` };
    const [hello, grant] = await Promise.all([
      request("hello", {}),
      request("token", { method: "POST", headers }, { refused: "unpaired" }),
    ]);
    if (typeof grant.token !== "string") throw new StationError("bad-answer");
    return { relayUrl: relayAddress(hello.relay_url), token: grant.token, lifetimeMs: lifetime(grant) };
  }

  #ask(name, method, content, { as = "json", range } = {}) {
    const headers = { Authorization: `Bearer ${this.#stored?.secret}`, ...(content && { "Content-Type": "application/json" }), ...(range && { Range: range }) };
    return request(name, { method, headers, body: content && JSON.stringify(content) }, { refused: "unpaired", as });
  }
}

/** Return a default name that tells this device from others; the resident may change it in the form. */
export function suggestedName(agent = navigator.userAgent) {
  const kinds = [[/iPad/, "iPad"], [/iPhone/, "iPhone"], [/Android.*Mobile/, t("device.android-phone")], [/Android/, t("device.android-tablet")],
    [/Macintosh/, "Mac"], [/Windows/, t("device.windows")], [/CrOS/, "Chromebook"], [/Linux/, t("device.linux")]];
  return kinds.find(([pattern]) => pattern.test(agent))?.[1] ?? t("device.other");
}

/** Return the address with which this device learns to trust the house; empty when there is none. */
export async function trustPage() {
  const { url } = await request("trust", {}).catch(() => ({}));
  return typeof url === "string" && url.startsWith("http://") ? url : "";
}

function read(storage) {
  try {
    const stored = JSON.parse(storage.getItem(STORAGE_KEY));
    return typeof stored?.secret === "string" ? stored : null;
  } catch {
    return null; // not JSON: the device counts as not paired, and the page says how to pair
  }
}

async function request(name, init, { refused = "bad-answer", conflict = "house-full", as = "json" } = {}) {
  let response;
  try {
    response = await fetch(houseUrl(`/api/space/${name}`), {
      ...init, cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
  } catch {
    throw new StationError("offline");
  }
  if (response.status === 429) throw new StationError("too-many");
  if (response.status >= 500) throw new StationError("offline");
  if (response.status === 401) throw new StationError(refused);
  if (response.status === 409) throw new StationError(conflict);
  if (response.status === 403 || response.status === 421) throw new StationError("address-refused"); // the page's address is refused, not the device
  if (!response.ok) throw new StationError("bad-answer");
  try {
    if (as === "blob") return await response.blob();
    const body = await response.json();
    return { ...body, servedAt: Date.parse(response.headers.get("Date") ?? "") };
  } catch {
    throw new StationError("bad-answer");
  }
}

// Check and return the socket's URL: a space that does not know of the TLS proxy before it names ws://, which an
// https: page cannot open.
function relayAddress(url) {
  if (typeof url !== "string") throw new StationError("bad-answer");
  if (location.protocol === "https:" && url.startsWith("ws:")) throw new StationError("proxy-unknown");
  return url;
}

/** Return the URL of a path of the space: a proxy may serve it below a path of its own. */
export function houseUrl(path) {
  return new URL(`..${path}`, document.baseURI);
}

// Return whether this browser opens a socket there: it may refuse a certificate that it accepted for the page.
function opens(url) {
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    const settle = (opened) => {
      clearTimeout(timer);
      socket.close();
      resolve(opened);
    };
    const timer = setTimeout(() => settle(false), SOCKET_TIMEOUT_MS);
    socket.addEventListener("open", () => settle(true), { once: true });
    socket.addEventListener("error", () => settle(false), { once: true });
  });
}

function address(url) {
  try {
    return new URL(url);
  } catch {
    throw new StationError("bad-answer");
  }
}

// Return the token's lifetime by the server's clock, as a wall tablet's may be years off.
function lifetime({ expires_at, servedAt }) {
  const expiry = typeof expires_at === "number" ? expires_at * 1000 : Date.parse(expires_at);
  const now = Number.isNaN(servedAt) ? Date.now() : servedAt;
  return Number.isFinite(expiry) && expiry > now ? expiry - now : null;
}
