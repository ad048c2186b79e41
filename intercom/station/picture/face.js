// The visitor's face before the answer: the still of the press at once, then the door's live picture, without sound.
//
// A view is no call: it goes to the door by itself (space/switch/views.py), and this page sends nothing into it.
// Event: "change" (.still, .trouble, .live, .frozen have changed).

import { Moving } from "./moving.js";
import { Peer } from "../call/peer.js";

const RETRY_MS = 1500; // delay before the next try after a refusal that may pass
const LOOK_MS = 250; // interval at which the pictures are counted
const SLOW_MS = 1500; // time without a first picture after which the page says that the camera is slow
const FINAL = new Set(["absent", "codec", "no-look", "not-allowed", "not-ringing", "over"]); // refusals that stay

export class Face extends EventTarget {
  #signalling;
  #player;
  #wanted = null;
  #view = "";
  #leave = () => {};
  #settle = () => {};
  #moving;
  #since = 0;
  #timer = null;
  #next = null; // the peer of the next view, with its offer
  #ahead; // whether that is made while nobody waits for it
  #gone = new AbortController();

  still = null; // {url, at}: the picture of the press, and its time by performance.now()
  trouble = ""; // word for why there is no live picture: off, absent, codec, full, slow …

  constructor(signalling, player, { ahead = true } = {}) {
    super();
    this.#signalling = signalling;
    this.#player = player;
    this.#ahead = ahead;
    this.#moving = new Moving(player, () => this.#look());
    const { signal } = this.#gone;
    signalling.addEventListener("state", ({ detail: { state } }) => state === "registered" && this.#prepare(), { signal });
    signalling.addEventListener("room", ({ detail: { type, params } }) => {
      if (type === "intercom.still" && params.callID === this.#wanted?.callID) this.#showStill(params);
      if (type === "intercom.view.end" && params.view === this.#view) this.#leave(params.reason);
    }, { signal });
  }

  /** Whether the page watches, or tries to. */
  get watching() {
    return this.#wanted !== null;
  }

  /** Whether the page looks at a door that does not ring. */
  get looking() {
    return Boolean(this.#wanted?.address);
  }

  /** Whether the picture has begun to move. */
  get live() {
    return this.#moving.live;
  }

  /** Whether it has stopped since: the last one is old. */
  get frozen() {
    return this.#moving.frozen;
  }

  /** Age of the last picture in ms. */
  get ageMs() {
    return this.#moving.ageMs;
  }

  /** Watch who rings, {callID}, or look at a door, {address}, or no more; resolves with the live picture or a trouble. */
  watch(wanted) {
    this.end();
    if (!wanted) return Promise.resolve();
    const settled = new Promise((resolve) => { this.#settle = resolve; });
    this.#wanted = wanted;
    this.#since = performance.now();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#run(wanted);
    this.#changed();
    return settled;
  }

  /** Show this picture of the press, {url, at}, until there is a live one. */
  show(still) {
    this.still = still;
    this.#changed();
  }

  /** Stop watching, and forget every picture. */
  end() {
    if (!this.watching) return;
    this.#wanted = null;
    clearInterval(this.#timer);
    this.still = null;
    this.#leave("over");
    this.#play(null);
    this.trouble = "";
    this.#changed();
  }

  /** Stop watching for good. */
  close() {
    this.end();
    this.#gone.abort();
  }

  /** Return whether this door lets the house look without being rung. */
  async mayLook(address) {
    try {
      const { refused } = await this.#signalling.request("intercom.view", { address, sdp: "" });
      return refused === "may";
    } catch {
      return false; // no connection, or a house that knows no views
    }
  }

  async #run(wanted) {
    while (this.#wanted === wanted) {
      const trouble = await this.#attempt(wanted);
      if (this.#wanted !== wanted) return;
      if (trouble === "off") this.still = null; // who switches the camera off wants no picture shown
      this.trouble = trouble;
      this.#changed();
      if (trouble === "over" && this.looking) this.end();
      if (FINAL.has(trouble)) return;
      await new Promise((resolve) => { setTimeout(resolve, RETRY_MS); });
    }
  }

  // Make the next view's offer now, while nobody waits for it, with the servers that the house names now.
  async #prepare() {
    if (!this.#ahead) return;
    const next = await offered(this.#signalling.iceServers).catch(() => null); // the view makes its own, and tells
    this.#next?.close();
    this.#next = next;
  }

  // Watch until the view is over; return why, in a word.
  async #attempt(wanted) {
    const over = new Promise((resolve) => { this.#leave = resolve; });
    let peer = this.#next;
    this.#next = null;
    let view = "";
    try {
      peer ??= await offered(this.#signalling.iceServers);
      peer.addEventListener("state", () => ["failed", "closed"].includes(peer.state) && this.#leave("lost"));
      peer.addEventListener("media", () => this.#wanted === wanted && this.#play(peer.video));
      const begun = peer.beginView();
      const sdp = typeof begun === "string" ? begun : await begun; // the request leaves before this page does anything else
      const answer = await this.#signalling.request("intercom.view", { ...wanted, sdp });
      if (answer.refused) return answer.refused;
      view = answer.view;
      if (this.#wanted !== wanted) return "over";
      this.#view = view;
      await peer.accept(answer.sdp);
      if (this.#wanted === wanted) this.#answered();
      return await over;
    } catch {
      return "lost";
    } finally {
      peer?.close();
      this.#view = "";
      if (this.#wanted === wanted) this.#play(null);
      if (!this.#next) this.#prepare();
      if (view) this.#signalling.request("intercom.view.end", { view }).catch(() => {}); // it was over already
    }
  }

  // The door has answered: what was in the way of an earlier attempt is over, and only the camera may still be slow.
  #answered() {
    if (!this.trouble) return;
    this.trouble = "";
    this.#since = performance.now();
    this.#changed();
  }

  #play(stream) {
    this.#player.srcObject = stream;
    this.#moving.reset();
    if (stream) this.#player.play().catch(() => {}); // it was closed meanwhile
  }

  #look() {
    const { live, frozen, trouble } = this;
    this.#moving.look();
    if (this.live) this.trouble = "";
    else if (!trouble && performance.now() - this.#since > SLOW_MS) this.trouble = "slow";
    if (live !== this.live || frozen !== this.frozen || trouble !== this.trouble) this.#changed();
  }

  #showStill({ jpeg, age_ms: ageMs }) {
    const url = `data:image/jpeg;base64,${jpeg}`; // quicker to show than a blob, which another process keeps
    this.show({ url, at: performance.now() - (Number(ageMs) || 0) });
  }

  #changed() {
    if (this.live || this.trouble) this.#settle();
    this.dispatchEvent(new Event("change"));
  }
}

async function offered(iceServers) {
  const peer = new Peer(iceServers);
  await peer.offerView();
  return peer;
}
