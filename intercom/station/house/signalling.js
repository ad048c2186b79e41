// The socket to the space: JSON-RPC, registration and reconnect (protocol.md §3, §4, §5).
//
// Events: "state" {state: "connecting" | "registered" | "lost" | "refused", code, why, resumed} ("why" is the sentence of a full house),
//         "verto" {message, nodeId}, "room" {type, params} (call.joined, member.updated and the like). "refused" is final until start() is called again.

import { StationError } from "../words.js";

const AGENT = "intercom-station/0.1 rings/1 silent/1 beside/1"; // told of the house's rings, it shows one without a sound, and beside a call
const RPC_TIMEOUT_MS = 5000; // time limit of a request (protocol.md §3)
const ATTEMPT_TIMEOUT_MS = 10000; // time limit of a connection attempt (protocol.md §3)
const BACKOFF_FIRST_MS = 100; // first reconnect delay, which doubles (protocol.md §3)
const BACKOFF_LAST_MS = 3000;
const PING_AFTER_MS = 5000; // silence after which a ping is due; with its time-out a dead socket is noticed within 10 s
const PING_TIMEOUT_MS = 4000;
const WATCHFUL_PING_MS = 2000; // interval, and time limit, of the pings while it rings: a bell must not outlive the house by long
const REFRESH_BEFORE_MS = 5000; // time before a token's expiry at which it is refreshed (protocol.md §1)
const TIMER_MAX_MS = 2 ** 31 - 1;
const UNOPENED_MAX = 3; // limit of sockets in a row that do not open although the house answers: that is no outage
const QUEUE_MAX = 50; // limit of requests kept while the socket is down; a page makes a handful
const RESUME_REFUSED = new Set([-32002, -32003, -32602]); // error codes that refuse a resume (protocol.md §3)
const SESSIONS_EXCEEDED = -32030; // error code of a house that has no room for this page now

export class RpcError extends Error {
  constructor(code, message, cause = "") {
    super(message || `error ${code}`);
    this.name = "RpcError";
    this.code = code;
    this.cause = cause; // name of the reason for which a call is refused (ITU-T Q.850)
  }
}

export class Signalling extends EventTarget {
  #credentials;
  #socket = null;
  #open = false; // authenticated: requests may go out
  #pending = new Map();
  #queue = [];
  #running = false;
  #resume = {};
  #heardAt = 0;
  #unopened = 0;
  #watching = null;
  #wake = () => {};

  iceServers = [];
  token = "";

  /** credentials: async () => {relayUrl, token, lifetimeMs}; throws StationError. */
  constructor(credentials) {
    super();
    this.#credentials = credentials;
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.#run();
  }

  get connected() {
    return this.#open;
  }

  /** Notice within seconds that the house is silent, as long as this is true. */
  set watchful(watchful) {
    if (watchful === (this.#watching !== null)) return;
    clearInterval(this.#watching);
    this.#watching = watchful ? setInterval(() => this.#open && this.#probe(WATCHFUL_PING_MS), WATCHFUL_PING_MS) : null;
  }

  /** Forget this session: the next connection begins another. */
  beginAnew() {
    this.#resume = {};
  }

  /** Reconnect now, or probe a socket that may have died asleep: the network came back, or the page is visible again. */
  retryNow() {
    this.#wake();
    if (this.#open) this.#probe();
  }

  /** Send a JSON-RPC request. With queue it survives a lost socket; without, it fails at once ("offline"). */
  request(method, params, { queue = false, timeoutMs = RPC_TIMEOUT_MS } = {}) {
    return new Promise((resolve, reject) => {
      const entry = { frame: { jsonrpc: "2.0", id: uuid(), method, params }, resolve, reject, queue, timeoutMs };
      if (this.#open) this.#send(entry);
      else this.#keep(entry);
    });
  }

  /** Send a Verto message inside webrtc.verto; return the inner result. */
  async verto(callId, method, params, { nodeId = "", subscribe, queue = false } = {}) {
    const message = { jsonrpc: "2.0", id: uuid(), method, params };
    const outer = { callID: callId, node_id: nodeId, message, ...(subscribe && { subscribe }) };
    const result = await this.request("webrtc.verto", outer, { queue });
    const error = result?.result?.error;
    if (error) throw new RpcError(error.code, error.message, error.data?.cause);
    if (result?.code && String(result.code) !== "200") throw new RpcError(Number(result.code), result.message);
    return { nodeId: result?.node_id ?? nodeId, ...(result?.result?.result ?? result?.result) };
  }

  #announce(state, { code = "", why = "", resumed = false } = {}) {
    this.dispatchEvent(new CustomEvent("state", { detail: { state, code, why, resumed } }));
  }

  async #run() {
    this.#announce("connecting");
    let backoffMs = BACKOFF_FIRST_MS;
    while (this.#running) {
      let code = "offline";
      let why = "";
      try {
        await this.#session(() => { backoffMs = BACKOFF_FIRST_MS; });
      } catch (error) {
        code = error instanceof StationError ? error.code : "offline";
        why = error.code === SESSIONS_EXCEEDED ? error.message : "";
      }
      this.#hangSocket();
      if (code === "unpaired") {
        this.#running = false;
        this.#announce("refused", { code });
        return;
      }
      this.#announce("lost", { code, why });
      await this.#pause(backoffMs / 2 + Math.random() * (backoffMs / 2));
      backoffMs = Math.min(backoffMs * 2, BACKOFF_LAST_MS);
    }
  }

  // Get a token, connect, and return when the socket has closed.
  async #session(succeeded) {
    const { relayUrl, token, lifetimeMs } = await this.#credentials();
    const { closed } = await this.#dial(relayUrl).catch(() => {
      this.#unopened += 1;
      throw new StationError(this.#unopened < UNOPENED_MAX ? "offline" : "socket-refused");
    });
    this.#unopened = 0;
    const resumed = await this.#authenticate(token);
    this.token = token;
    this.#open = true;
    this.#queue.splice(0).forEach((entry) => this.#send(entry));
    await this.#register(token);
    succeeded();
    this.#announce("registered", { resumed });
    const timers = new AbortController();
    this.#keepAlive(timers.signal);
    if (lifetimeMs !== null) this.#keepAuthorized(lifetimeMs, timers.signal);
    await closed;
    timers.abort();
  }

  // Return the promise wrapped, since `await` would also wait for a promise within a promise.
  async #dial(url) {
    const socket = new WebSocket(url);
    this.#socket = socket;
    const closed = new Promise((resolve) => socket.addEventListener("close", resolve, { once: true }));
    socket.addEventListener("message", ({ data }) => {
      if (socket === this.#socket) this.#receive(data);
    });
    socket.addEventListener("close", () => {
      if (socket === this.#socket) this.#hangSocket(); // fail the pending requests now
    });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new StationError("offline")), ATTEMPT_TIMEOUT_MS);
      closed.then(() => reject(new StationError("offline"))).finally(() => clearTimeout(timer));
      socket.addEventListener("open", () => {
        clearTimeout(timer);
        this.#heardAt = performance.now();
        resolve({ closed });
      }, { once: true });
    });
  }

  // Authenticate; return whether the service still knows this session and its calls.
  async #authenticate(token) {
    const params = {
      version: { major: 4, minor: 0, revision: 0 }, agent: AGENT, event_acks: true,
      authentication: { jwt_token: token }, contexts: [], topics: [], eventing: [],
    };
    const before = this.#resume;
    const resuming = Boolean(this.#resume.authorization_state && this.#resume.protocol);
    let result;
    try {
      result = await this.#ask("signalwire.connect", { ...params, ...(resuming && this.#resume) });
    } catch (error) {
      if (!(resuming && RESUME_REFUSED.has(error.code))) throw error;
      this.#resume = {};
      result = await this.#ask("signalwire.connect", params);
    }
    if (resuming && result.protocol === before.protocol && before !== this.#resume) throw new StationError("offline"); // begun anew meanwhile
    const resumed = result.protocol === this.#resume.protocol;
    this.#resume.protocol = result.protocol;
    this.iceServers = Array.isArray(result.ice_servers) ? result.ice_servers : [];
    return resumed;
  }

  async #register(token) {
    try {
      await this.#ask("subscriber.online", {});
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      await this.#ask("signalwire.reauthenticate", { authentication: { jwt_token: token } });
      await this.#ask("subscriber.online", {});
    }
  }

  #ask(method, params, timeoutMs = RPC_TIMEOUT_MS) {
    return new Promise((resolve, reject) => {
      const frame = { jsonrpc: "2.0", id: uuid(), method, params };
      this.#send({ frame, resolve, reject, queue: false, timeoutMs });
    });
  }

  #keepAlive(signal) {
    const timer = setInterval(() => {
      if (performance.now() - this.#heardAt >= PING_AFTER_MS) this.#probe();
    }, PING_AFTER_MS);
    signal.addEventListener("abort", () => clearInterval(timer));
  }

  async #probe(timeoutMs = PING_TIMEOUT_MS) {
    const socket = this.#socket;
    try {
      await this.#ask("signalwire.ping", { timestamp: Date.now() / 1000 }, timeoutMs);
    } catch (error) {
      if (!(error instanceof RpcError) && socket === this.#socket) this.#hangSocket();
    }
  }

  #keepAuthorized(lifetimeMs, signal) {
    const timer = setTimeout(async () => {
      try {
        const { token, lifetimeMs: next } = await this.#credentials();
        if (signal.aborted) return;
        const renewed = await this.#ask("signalwire.reauthenticate", { authentication: { jwt_token: token } });
        if (Array.isArray(renewed?.ice_servers)) this.iceServers = renewed.ice_servers;
        this.token = token;
        if (next !== null && !signal.aborted) this.#keepAuthorized(next, signal);
      } catch {
        this.#hangSocket(); // the next session asks for a fresh token, and reports why it gets none
      }
    }, Math.min(TIMER_MAX_MS, Math.max(1000, lifetimeMs - REFRESH_BEFORE_MS)));
    signal.addEventListener("abort", () => clearTimeout(timer));
  }

  #send(entry) {
    const { frame, reject, timeoutMs } = entry;
    if (this.#socket?.readyState !== WebSocket.OPEN) {
      this.#keep(entry);
      return;
    }
    const timer = setTimeout(() => {
      this.#pending.delete(frame.id);
      reject(new StationError("offline", `no answer to ${frame.method}`));
    }, timeoutMs);
    this.#pending.set(frame.id, { ...entry, timer });
    this.#socket.send(JSON.stringify(frame));
  }

  #keep(entry) {
    if (entry.queue && this.#running && this.#queue.length < QUEUE_MAX) this.#queue.push(entry);
    else entry.reject(new StationError("offline"));
  }

  // Drop the socket and ignore its events: a dead one may take minutes to close.
  #hangSocket() {
    const socket = this.#socket;
    this.#socket = null;
    this.#open = false;
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    waiting.forEach(({ timer, ...entry }) => {
      clearTimeout(timer);
      this.#keep(entry);
    });
    socket?.close();
    socket?.dispatchEvent(new CloseEvent("close"));
  }

  #pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    }).finally(() => { this.#wake = () => {}; });
  }

  #receive(data) {
    this.#heardAt = performance.now();
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return; // protocol.md §3: not JSON is skipped, the connection goes on
    }
    if (frame === null || typeof frame !== "object") return;
    if (typeof frame.method === "string") this.#serve(frame);
    else this.#settle(frame);
  }

  #settle({ id, result, error }) {
    const entry = this.#pending.get(id);
    if (!entry) return;
    this.#pending.delete(id);
    clearTimeout(entry.timer);
    if (error) entry.reject(new RpcError(error.code, error.message));
    else entry.resolve(result);
  }

  #serve({ id, method, params }) {
    const answer = method === "signalwire.ping" ? { timestamp: params?.timestamp ?? Date.now() / 1000 } : {};
    this.#socket.send(JSON.stringify({ jsonrpc: "2.0", id, result: answer }));
    if (method === "signalwire.disconnect") this.#hangSocket();
    if (method === "signalwire.event") this.#event(params ?? {});
  }

  #event({ event_type, event_channel, node_id, params }) {
    if (event_type === "signalwire.authorization.state") {
      this.#resume.authorization_state = params?.authorization_state;
      return;
    }
    if (event_channel && !event_channel.includes(this.#resume.protocol)) return; // stale: protocol.md §3
    if (typeof event_type !== "string") return;
    if (event_type !== "webrtc.message") this.dispatchEvent(new CustomEvent("room", { detail: { type: event_type, params: params ?? {} } }));
    if (event_type !== "webrtc.message" || typeof params?.method !== "string") return;
    this.dispatchEvent(new CustomEvent("verto", { detail: { message: params, nodeId: node_id ?? "" } }));
  }
}

/** Return a UUID, also where crypto.randomUUID is missing (pages without TLS). */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
