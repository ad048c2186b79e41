// One call with the door: the Verto dialog (protocol.md §5) and its peer connection.
//
// Events: "status" (see .status), "media" (.video, .audio have changed), "door" {state: "open" | "closed"},
//         "weak" {weak: boolean}. An inbound call is made ready while it rings, down to a gathered local
//         description, so that answer() only has to send it. The door's candidates are held back until then:
//         a station that only rings sends the door nothing.

import { uuid } from "./signalling.js";

const GATHER_QUIET_MS = 600; // protocol.md §5: after the last candidate
const GATHER_MAX_MS = 6000; // protocol.md §5
const MICROPHONE_WAIT_MS = 500; // for real addresses in our candidates; the answer never waits for it
const CONNECT_MAX_MS = 15000; // offer to connected
const BROKEN_MAX_MS = 20000; // of a lost media path before the call is given up
const CAUSE_CODES = { NORMAL_CLEARING: 16, USER_BUSY: 17, MEDIA_TIMEOUT: 804 };
const SUBSCRIBE = ["track", "destroy", "member.updated.videoMuted", "layout.changed", "room.subscribed",
  "member.updated.audioMuted", "media.connected", "room.updated", "call.joined"]; // protocol.md §5

export class Call extends EventTarget {
  #signalling;
  #microphone;
  #connection;
  #sender = null;
  #candidates = [];
  #ready = null;
  #pressed;
  #press;
  #timer = null;
  #broken = null;
  #muted = false;
  #onMicrophone = () => this.#attachMicrophone();

  status = "ringing"; // "ringing" | "calling" | "connecting" | "connected" | "ended"
  cause = "";
  errorCode = ""; // of words.js: why a call failed on our side
  video = null;
  audio = null;
  connectedAt = null; // performance.now() of the first media path

  constructor({ id = uuid(), direction, from = {}, nodeId = "", userVariables = {}, signalling, microphone }) {
    super();
    Object.assign(this, { id, direction, from, nodeId, userVariables });
    this.#signalling = signalling;
    this.#microphone = microphone;
    this.#pressed = new Promise((resolve) => { this.#press = resolve; });
    this.#connection = new RTCPeerConnection({ iceServers: signalling.iceServers, bundlePolicy: "max-bundle" });
    this.#connection.addEventListener("track", ({ track, receiver }) => this.#addTrack(track, receiver));
    this.#connection.addEventListener("connectionstatechange", () => this.#watchConnection());
    microphone.addEventListener("change", this.#onMicrophone);
  }

  get over() {
    return this.status === "ended";
  }

  get muted() {
    return this.#muted;
  }

  set muted(muted) {
    this.#muted = muted;
    if (this.#microphone.track) this.#microphone.track.enabled = !muted;
  }

  /** Inbound: make everything ready but send nothing. */
  prepare(offer) {
    this.#ready = this.#prepareAnswer(offer);
    this.#ready.catch(() => this.#fail("media-failed", "MEDIA_TIMEOUT"));
  }

  /** Inbound: the resident answers. */
  async answer() {
    if (this.status !== "ringing") return;
    this.#setStatus("connecting");
    this.#press();
    try {
      await this.#ready;
    } catch {
      return; // already reported by prepare()
    }
    if (this.over) return;
    this.#attachMicrophone();
    const sent = this.#send("verto.answer", { sdp: this.#connection.localDescription.sdp }, { queue: true });
    this.#candidates.splice(0).forEach((candidate) => {
      this.#connection.addIceCandidate(candidate).catch(() => {}); // one that the browser cannot use
    });
    this.#startTimer();
    try {
      await sent;
    } catch {
      this.#fail("answer-failed", "MEDIA_TIMEOUT");
    }
  }

  /** Outbound: call an address of the house. */
  async dial(destination) {
    this.destination = destination;
    this.#setStatus("calling");
    try {
      const audio = this.#connection.addTransceiver("audio", { direction: "sendrecv" });
      this.#sender = audio.sender;
      preferH264(this.#connection.addTransceiver("video", { direction: "recvonly" }));
      await this.#microphoneOrTimeout();
      await this.#connection.setLocalDescription();
      await gathered(this.#connection);
      if (this.over) return;
      const { nodeId } = await this.#send("verto.invite", { sdp: this.#connection.localDescription.sdp },
        { subscribe: SUBSCRIBE });
      this.nodeId = nodeId;
    } catch (error) {
      if (!this.over) this.#fail(error.code === "offline" ? "offline" : "call-failed", "");
    }
  }

  /** End or refuse the call and tell the far end. */
  hangup(cause = this.status === "ringing" ? "USER_BUSY" : "NORMAL_CLEARING") {
    if (this.over) return;
    const bye = { cause, causeCode: CAUSE_CODES[cause] };
    this.#send("verto.bye", bye, { queue: true }).catch(() => {}); // a far end that is gone needs no goodbye
    this.#end(cause);
  }

  /** DTMF; fails at once without a connection, since a late digit would open a door that nobody watches. */
  sendDigits(digits) {
    return this.#signalling.verto(this.id, "verto.info",
      { sessid: this.id, dialogParams: { callID: this.id }, dtmf: digits }, { nodeId: this.nodeId });
  }

  /** A Verto message for this call. */
  async receive({ method, params = {} }) {
    if (this.over) return;
    if (method === "verto.bye") this.#end(params.cause ?? "NORMAL_CLEARING");
    if (method === "verto.info") {
      const door = params.intercom?.door;
      if (door === "open" || door === "closed") this.#emit("door", { state: door });
    }
    if ((method === "verto.answer" || method === "verto.media") && this.direction === "outbound") {
      await this.#acceptAnswer(params.sdp, method === "verto.answer");
    }
  }

  async #prepareAnswer(offer) {
    const { sdp, candidates } = withoutCandidates(offer);
    this.#candidates = candidates;
    await this.#connection.setRemoteDescription({ type: "offer", sdp });
    const audio = this.#connection.getTransceivers().find(({ receiver }) => receiver.track.kind === "audio");
    if (audio) {
      audio.direction = "sendrecv"; // the track may come later: no new negotiation, no waiting
      this.#sender = audio.sender;
    }
    await this.#microphoneOrTimeout();
    if (this.over) return;
    await this.#connection.setLocalDescription();
    await gathered(this.#connection);
  }

  #microphoneOrTimeout() {
    const microphone = this.#microphone.track ? null : this.#microphone.whenSettled();
    return Promise.race([microphone, this.#pressed, delay(MICROPHONE_WAIT_MS)]);
  }

  async #acceptAnswer(sdp, final) {
    try {
      if (sdp && this.#connection.signalingState === "have-local-offer") {
        await this.#connection.setRemoteDescription({ type: "answer", sdp });
      }
    } catch {
      this.#fail("media-failed", "MEDIA_TIMEOUT");
      return;
    }
    if (!final || this.status !== "calling") return;
    this.#setStatus("connecting");
    this.#attachMicrophone();
    this.#startTimer();
    this.#watchConnection();
  }

  // Before the answer nothing of the resident may leave this device, so the track waits until then.
  #attachMicrophone() {
    if (!this.#sender || !["connecting", "connected"].includes(this.status)) return;
    const { track } = this.#microphone;
    if (track) track.enabled = !this.#muted;
    if (this.#sender.track !== track) this.#sender.replaceTrack(track).catch(() => {}); // closed meanwhile
  }

  #addTrack(track, receiver) {
    if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0; // as little delay as the network allows
    this[track.kind] = new MediaStream([track]);
    this.#emit("media");
  }

  #watchConnection() {
    const state = this.#connection.connectionState;
    if (this.over || !["connecting", "connected"].includes(this.status)) return;
    if (state === "connected") {
      this.#clearTimers();
      this.connectedAt ??= performance.now();
      this.#emit("weak", { weak: false });
      this.#setStatus("connected");
    }
    if (state === "disconnected" || (state === "failed" && this.status === "connected")) {
      this.#emit("weak", { weak: true });
      this.#broken ??= setTimeout(() => this.#fail("media-timeout", "MEDIA_TIMEOUT"), BROKEN_MAX_MS);
    }
    if (state === "failed" && this.status === "connecting") this.#fail("media-failed", "MEDIA_TIMEOUT");
    if (state === "closed") this.#end("NORMAL_CLEARING");
  }

  #startTimer() {
    this.#timer ??= setTimeout(() => this.#fail("media-failed", "MEDIA_TIMEOUT"), CONNECT_MAX_MS);
  }

  #clearTimers() {
    clearTimeout(this.#timer);
    clearTimeout(this.#broken);
    this.#timer = this.#broken = null;
  }

  #send(method, params, options = {}) {
    return this.#signalling.verto(this.id, method, { ...params, dialogParams: this.#dialogParams() },
      { nodeId: this.nodeId, ...options });
  }

  #dialogParams() {
    return {
      callID: this.id,
      destination_number: this.destination ?? this.from.number ?? "",
      caller_id_name: this.from.name ?? "",
      caller_id_number: this.from.number ?? "",
      remote_caller_id_name: "",
      remote_caller_id_number: this.destination ?? "",
      userVariables: { memberCallId: this.id },
      attach: false, reattaching: false, screenShare: false, additionalDevice: false,
      pingSupported: true, version: 1000,
    };
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
    this.#connection.close();
    this.#setStatus("ended");
  }

  #setStatus(status) {
    if (this.status === status) return;
    this.status = status;
    this.#emit("status");
  }

  #emit(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function delay(ms) {
  return new Promise((resolve) => { setTimeout(resolve, ms); });
}

/** Resolves when all candidates are in the local description, or none came for 600 ms. */
function gathered(connection) {
  if (connection.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    const stop = new AbortController();
    const done = () => {
      clearTimeout(quiet);
      clearTimeout(limit);
      stop.abort();
      resolve();
    };
    let quiet = setTimeout(done, GATHER_QUIET_MS);
    const limit = setTimeout(done, GATHER_MAX_MS);
    connection.addEventListener("icecandidate", ({ candidate }) => {
      clearTimeout(quiet);
      if (candidate) quiet = setTimeout(done, GATHER_QUIET_MS);
      else done();
    }, { signal: stop.signal });
    connection.addEventListener("connectionstatechange", () => {
      if (connection.connectionState === "closed") done();
    }, { signal: stop.signal });
  });
}

/** Splits an offer into the SDP without candidates and the candidates, each with its media section. */
function withoutCandidates(offer) {
  const kept = [];
  const candidates = [];
  let section = -1;
  for (const line of offer.split(/\r?\n/)) {
    if (line.startsWith("m=")) section += 1;
    if (line.startsWith("a=candidate:")) candidates.push({ candidate: line.slice(2), sdpMLineIndex: section });
    else if (line !== "a=end-of-candidates") kept.push(line);
  }
  return { sdp: kept.join("\r\n"), candidates };
}

// The door's camera delivers H.264: what it need not encode again comes cheaper and sooner.
function preferH264(transceiver) {
  const codecs = RTCRtpReceiver.getCapabilities?.("video")?.codecs;
  if (!codecs || !transceiver.setCodecPreferences) return;
  const first = codecs.filter(({ mimeType }) => mimeType === "video/H264");
  transceiver.setCodecPreferences([...first, ...codecs.filter((codec) => !first.includes(codec))]);
}
