// One call with the door: the Verto dialog (protocol.md §5).
//
// Events: "status" (see .status), "media" (.video, .audio have changed), "door" {state: "open" | "closed" | "refused", reason, seconds},
//         "talk" {talk: "ending" | "on", seconds} (the call's time), "weak" {weak: boolean}, "visitor": somebody else presses at
//         the door. An inbound call is made ready while it rings, down to a gathered local
//         description, so that answer() only has to send it. The door's candidates are held back until then:
//         a station that only rings sends the door nothing.

import { Peer } from "./peer.js";
import { RpcError, uuid } from "../house/signalling.js";

const MICROPHONE_WAIT_MS = 500; // time limit for opening the microphone: with it the browser names real addresses
const PREPARE_MAX_MS = 400; // time limit from the ring to the preparation of its answer: nobody answers sooner
const CONNECT_MAX_MS = 15000; // time limit from the offer to the connection
const BROKEN_MAX_MS = 40000; // time limit of a lost media path: the door looks for another one as long (recovery.py)
const CAUSE_CODES = { NORMAL_CLEARING: 16, CALL_REJECTED: 21, MEDIA_TIMEOUT: 804 };
const SUBSCRIBE = ["track", "destroy", "member.updated.videoMuted", "layout.changed", "room.subscribed",
  "member.updated.audioMuted", "media.connected", "room.updated", "call.joined"]; // protocol.md §5

export class Call extends EventTarget {
  #signalling;
  #microphone;
  #peer;
  #ready = null;
  #prepared = false; // the answer only has to be sent
  #pressed;
  #press;
  #timer = null;
  #broken = null;
  #offers = false; // we offer, the far end answers
  #muted = false;
  #onMicrophone = () => this.#attachMicrophone();

  status = "ringing"; // "ringing" | "calling" | "connecting" | "connected" | "ended"
  cause = "";
  errorCode = ""; // error code of words.js when the call failed on our side
  answered = false; // by the resident or the door
  connectedAt = null; // time of the first media path by performance.now()

  constructor({ id = uuid(), ring = "", silent = false, opens = true, direction, from = {}, nodeId = "", destination = "", signalling, microphone }) {
    super();
    Object.assign(this, { id, ring, silent, opens, direction, from, nodeId, destination });
    this.#signalling = signalling;
    this.#microphone = microphone;
    this.#pressed = new Promise((resolve) => { this.#press = resolve; });
    this.#peer = this.#newPeer();
    microphone.addEventListener("change", this.#onMicrophone);
  }

  get over() {
    return this.status === "ended";
  }

  /** Whether it was answered here in the instant in which the door gave it up to ring others, or nobody. */
  get late() {
    return this.direction === "inbound" && this.answered && this.connectedAt === null && this.cause === "NO_ANSWER";
  }

  get talking() {
    return this.status === "connecting" || this.status === "connected";
  }

  get video() {
    return this.#peer.video;
  }

  get audio() {
    return this.#peer.audio;
  }

  /** Whether this browser cannot decode the door's picture. */
  get cannotDecode() {
    return this.#peer.cannotDecode;
  }

  get muted() {
    return this.#muted;
  }

  set muted(muted) {
    this.#muted = muted;
    if (this.#microphone.track) this.#microphone.track.enabled = !muted;
  }

  /** Prepare the answer to an inbound call, once `seen` resolves: the visitor's picture comes first. Send nothing yet. */
  prepare(offer, seen) {
    this.#ready = Promise.race([seen, this.#pressed, delay(PREPARE_MAX_MS)])
      .then(() => this.over || this.#peer.prepareAnswer(offer, this.#microphoneOrTimeout()))
      .then(() => { this.#prepared = true; });
    this.#ready.catch(() => this.#fail("media-failed", "MEDIA_TIMEOUT"));
  }

  /** Answer an inbound call: what is prepared is sent first, and shown here while the far end connects. */
  async answer() {
    if (this.status !== "ringing") return;
    let sent = this.#prepared ? this.#sendAnswer() : null;
    this.#setStatus("connecting");
    this.#press();
    try {
      await this.#ready;
    } catch {
      return; // prepare() has reported it
    }
    if (this.over) {
      if (this.late) this.#send("verto.answer", { sdp: "" }).catch(() => {}); // refused: the house knows who answered
      return;
    }
    sent ??= this.#sendAnswer();
    this.#timer ??= setTimeout(() => this.#fail("media-failed", "MEDIA_TIMEOUT"), CONNECT_MAX_MS);
    try {
      await sent;
    } catch {
      this.#fail("answer-failed", "MEDIA_TIMEOUT");
    }
  }

  #sendAnswer() {
    const sent = this.#send("verto.answer", { sdp: this.#peer.sdp }, { queue: true });
    this.#peer.reachOut();
    this.#sendMicrophone(); // its first packet is to be full when the far end is connected
    return sent;
  }

  /** Call an address of the house. */
  async dial(destination) {
    this.destination = destination;
    this.#offers = true;
    this.#setStatus("calling");
    try {
      await this.#peer.prepareOffer(this.#microphoneOrTimeout());
      if (this.over) return;
      const { nodeId } = await this.#send("verto.invite", { sdp: this.#peer.sdp }, { subscribe: SUBSCRIBE });
      this.nodeId = nodeId;
    } catch (error) {
      if (error instanceof RpcError && error.cause) this.#end(error.cause); // nobody can be called there
      else this.#fail(error.code === "offline" ? "offline" : "call-failed", "");
    }
  }

  /** Return the call's state, with which a reloaded page resumes it. */
  get record() {
    const { id, ring, opens, direction, from, nodeId, destination, muted } = this;
    return { id, ring, opens, direction, from, nodeId, destination, muted,
      lastedMs: this.connectedAt === null ? null : performance.now() - this.connectedAt };
  }

  /** Resume a call after a reload of the page, over a new peer connection. */
  async takeBack({ muted, lastedMs }) {
    this.#muted = muted;
    if (lastedMs !== null) this.connectedAt = performance.now() - lastedMs;
    this.#offers = true;
    this.#setStatus("connecting");
    this.#timer = setTimeout(() => this.#fail("media-failed", "MEDIA_TIMEOUT"), CONNECT_MAX_MS);
    try {
      await this.#peer.prepareOffer(this.#microphoneOrTimeout());
      if (this.over) return;
      await this.#send("verto.invite", { sdp: this.#peer.sdp }, { reattaching: true });
    } catch (error) {
      if (error.code === "offline") this.#fail("offline", "");
      else this.#end("NORMAL_CLEARING"); // the call has ended meanwhile
    }
  }

  /** End the call, or refuse it for the whole house, and tell the far end. */
  hangup(cause = this.status === "ringing" ? "CALL_REJECTED" : "NORMAL_CLEARING") {
    if (this.over) return;
    const bye = { cause, causeCode: CAUSE_CODES[cause] };
    this.#send("verto.bye", bye, { queue: true }).catch(() => {}); // a far end that is gone needs no goodbye
    this.#end(cause);
  }

  /** Handle a call that the service has lost: a ringing one ends, an answered one goes on as long as its media. */
  forgotten() {
    if (!this.talking) this.#end("NORMAL_TEMPORARY_FAILURE");
  }

  /** Stop ringing: somebody took the ring elsewhere, or it is over. */
  taken() {
    this.#end("LOSE_RACE");
  }

  /** Ask the door to open; fail at once without a connection: a late wish would open it while nobody watches. */
  openDoor() {
    return this.#askDoor({ door: "open" });
  }

  /** Ask the door to let the call go on past its time; it allows so only near the end. */
  talkOn() {
    return this.#askDoor({ talk: "on" });
  }

  #askDoor(intercom) {
    return this.#signalling.verto(this.id, "verto.info",
      { sessid: this.id, dialogParams: { callID: this.id }, intercom }, { nodeId: this.nodeId });
  }

  /** Send a telephone key; fail at once without a connection. */
  sendKey(key) {
    return this.#signalling.verto(this.id, "verto.info",
      { sessid: this.id, dialogParams: { callID: this.id }, dtmf: key }, { nodeId: this.nodeId });
  }

  /** Handle a Verto message for this call. */
  receive({ method, params = {} }) {
    if (this.over) return;
    if (method === "verto.bye") this.#end(params.cause ?? "NORMAL_CLEARING");
    if (method === "verto.info") {
      const { door, talk, reason, for_s: seconds } = params.intercom ?? {};
      if (params.intercom?.visitor === "pressed") this.#emit("visitor");
      if (["open", "closed", "refused"].includes(door)) this.#emit("door", { state: door, reason, seconds });
      if (["ending", "on"].includes(talk)) this.#emit("talk", { talk, seconds });
    }
    if (method === "verto.answer" || method === "verto.media") this.#accept(params.sdp, method === "verto.answer");
    if (method === "verto.modify" && params.action === "updateMedia" && this.talking) this.#renew(params.sdp);
  }

  async #accept(sdp, final) {
    if (!this.#offers) return;
    try {
      if (sdp) await this.#peer.accept(sdp);
    } catch {
      this.#fail("media-failed", "MEDIA_TIMEOUT");
      return;
    }
    if (!final || this.status === "connected" || this.over) return;
    this.#setStatus("connecting");
    this.#attachMicrophone();
    this.#timer ??= setTimeout(() => this.#fail("media-failed", "MEDIA_TIMEOUT"), CONNECT_MAX_MS);
    this.#watch(this.#peer);
  }

  // Answer the door's new offer after a change of its network, from the same peer connection or a new one.
  async #renew(offer) {
    const before = this.#peer;
    const next = before.continues(offer) ? before : this.#newPeer();
    try {
      if (next === before) await next.renegotiate(offer);
      else await next.prepareAnswer(offer);
      if (this.over) {
        next.close();
        return;
      }
      this.#peer = next;
      this.#attachMicrophone();
      const sent = this.#send("verto.answer", { sdp: next.sdp });
      next.reachOut();
      await sent;
    } catch {
      if (this.#peer !== next) next.close(); // the present path may still come back
      return;
    }
    if (next === before) return;
    before.close();
    this.#emit("media");
    this.#watch(next);
  }

  #newPeer() {
    const peer = new Peer(this.#signalling.iceServers);
    peer.addEventListener("media", () => peer === this.#peer && this.#emit("media"));
    peer.addEventListener("state", () => this.#watch(peer));
    return peer;
  }

  #watch(peer) {
    if (peer !== this.#peer || !this.talking) return;
    const { state } = peer;
    if (state === "connected") {
      this.#clearTimers();
      this.connectedAt ??= performance.now();
      this.#emit("weak", { weak: false });
      this.#setStatus("connected");
    } else if (state === "failed" && this.status === "connecting") {
      this.#fail("media-failed", "MEDIA_TIMEOUT");
    } else if (state === "disconnected" || state === "failed") {
      this.#emit("weak", { weak: true });
      this.#broken ??= setTimeout(() => this.#fail("media-timeout", "MEDIA_TIMEOUT"), BROKEN_MAX_MS);
    } else if (state === "closed") {
      this.hangup(); // the far end closed its media without a message
    }
  }

  #microphoneOrTimeout() {
    const microphone = this.#microphone.track ? null : this.#microphone.whenSettled();
    return Promise.race([microphone, this.#pressed, delay(MICROPHONE_WAIT_MS)]);
  }

  #attachMicrophone() {
    if (this.talking) this.#sendMicrophone();
  }

  // Attach the resident's track, only after the answer: before it, no sound may leave this device.
  #sendMicrophone() {
    const { track } = this.#microphone;
    if (track) track.enabled = !this.#muted;
    this.#peer.send(track);
  }

  #clearTimers() {
    clearTimeout(this.#timer);
    clearTimeout(this.#broken);
    this.#timer = this.#broken = null;
  }

  #send(method, params, { reattaching = false, ...options } = {}) {
    const { destination } = this;
    const dialogParams = {
      callID: this.id, destination_number: destination || (this.from.number ?? ""),
      caller_id_name: this.from.name ?? "", caller_id_number: this.from.number ?? "",
      remote_caller_id_name: "", remote_caller_id_number: destination,
      userVariables: { memberCallId: this.id }, attach: reattaching, reattaching,
      screenShare: false, additionalDevice: false, pingSupported: true, version: 1000,
    };
    return this.#signalling.verto(this.id, method, { ...params, dialogParams }, { nodeId: this.nodeId, ...options });
  }

  #fail(code, cause) {
    if (this.over) return;
    this.errorCode = code;
    if (cause) this.hangup(cause);
    else this.#end("");
  }

  #end(cause) {
    if (this.over) return;
    this.cause = cause;
    this.#clearTimers();
    this.#press();
    this.#microphone.removeEventListener("change", this.#onMicrophone);
    this.#setStatus("ended");
    this.#peer.close();
  }

  #setStatus(status) {
    if (this.status === status) return;
    this.status = status;
    if (this.talking) this.answered = true;
    this.#emit("status");
  }

  #emit(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function delay(ms) {
  return new Promise((resolve) => { setTimeout(resolve, ms); });
}
