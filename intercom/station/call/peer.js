// The media path of one call: an RTCPeerConnection and the complete descriptions that Verto wants (protocol.md §5).
//
// Events: "media" (.video, .audio have changed), "state" (.state has changed).

const GATHER_QUIET_MS = 600; // quiet time after the last candidate that ends the gathering (protocol.md §5)
const GATHER_MAX_MS = 6000; // time limit of the gathering (protocol.md §5)
const VIEW_GATHER_MS = 250; // time limit of the gathering for a view: the door also finds this page by its own checks
const VIEWED = new Set(["video/H264", "video/VP8", "video/rtx"]); // what the door sends: a short offer is read sooner

export class Peer extends EventTarget {
  #connection;
  #sender = null;
  #held = [];
  #offer = null;
  #described = null;

  video = null;
  audio = null;

  constructor(iceServers) {
    super();
    this.#connection = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    this.#connection.addEventListener("track", ({ track, receiver }) => this.#addTrack(track, receiver));
    this.#connection.addEventListener("connectionstatechange", () => {
      this.dispatchEvent(new Event("state"));
    });
  }

  /** The connection's RTCPeerConnection.connectionState. */
  get state() {
    return this.#connection.connectionState;
  }

  /** Whether this browser refused the picture because it has no H.264. */
  get cannotDecode() {
    const { localDescription: ours, remoteDescription: theirs } = this.#connection;
    return [ours, theirs].some((description) => /^m=video 0 /m.test(description?.sdp ?? "")) && !hasH264();
  }

  get sdp() {
    return this.#connection.localDescription.sdp;
  }

  /**
   * Prepare a gathered answer without contacting the far end: its candidates are held until reachOut().
   * Gathering begins when `ready` resolves.
   */
  async prepareAnswer(offer, ready = null) {
    const { sdp, candidates } = withoutCandidates(offer);
    this.#held = candidates;
    await this.#connection.setRemoteDescription({ type: "offer", sdp });
    const audio = this.#connection.getTransceivers().find(({ receiver }) => receiver.track.kind === "audio");
    if (audio) {
      audio.direction = "sendrecv"; // the track may come later, without a new negotiation
      this.#sender = audio.sender;
    }
    await ready;
    await this.#describe();
  }

  /** Start to connect to the far end of a prepared answer. */
  reachOut() {
    this.#held.splice(0).forEach((candidate) => {
      this.#connection.addIceCandidate(candidate).catch(() => {}); // the browser cannot use this candidate
    });
  }

  async prepareOffer(ready = null) {
    this.#sender = this.#connection.addTransceiver("audio", { direction: "sendrecv" }).sender;
    preferH264(this.#connection.addTransceiver("video", { direction: "recvonly" }));
    await ready;
    await this.#describe();
  }

  /** Make an offer to only watch, long before it is needed: it holds no address, and keeps no port. */
  async offerView() {
    preferH264(this.#connection.addTransceiver("video", { direction: "recvonly" }), ({ mimeType }) => VIEWED.has(mimeType));
    this.#offer = await this.#connection.createOffer();
  }

  /**
   * Begin the offered view, and return its offer; a promise of it where servers have to find addresses first.
   * Else it is whole at once: the door finds this page by the page's own checks.
   */
  beginView() {
    this.#described = this.#connection.setLocalDescription(this.#offer);
    this.#described.catch(() => {}); // told by accept()
    return this.#connection.getConfiguration().iceServers.length ? this.#gatheredView() : this.#offer.sdp;
  }

  async accept(answer) {
    await this.#described;
    if (this.#connection.signalingState !== "have-local-offer") return; // verto.media came before verto.answer
    await this.#connection.setRemoteDescription({ type: "answer", sdp: answer });
  }

  /** Return whether the offer comes from the present peer connection; otherwise the far end has a new one. */
  continues(offer) {
    const now = fingerprints(this.#connection.remoteDescription?.sdp ?? "");
    return fingerprints(offer).some((fingerprint) => now.includes(fingerprint));
  }

  /** Answer a changed offer of the same far end. */
  async renegotiate(offer) {
    await this.#connection.setRemoteDescription({ type: "offer", sdp: offer });
    await this.#describe();
  }

  /** Send this track; null sends nothing. */
  send(track) {
    if (this.#sender && this.#sender.track !== track) this.#sender.replaceTrack(track).catch(() => {}); // closed meanwhile
  }

  close() {
    this.#connection.close();
  }

  async #describe() {
    if (this.#connection.signalingState === "closed") return;
    await this.#connection.setLocalDescription();
    await gathered(this.#connection);
  }

  // The offer with its addresses, without the names that only this machine can look up: they would hold the door up.
  async #gatheredView() {
    await this.#described;
    await gathered(this.#connection, VIEW_GATHER_MS, ({ type }) => type === "relay");
    return this.sdp.replace(/^a=(candidate:.*\.local .*|end-of-candidates)\r\n/gm, "");
  }

  #addTrack(track, receiver) {
    if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0; // least delay that the network allows
    this[track.kind] = new MediaStream([track]);
    this.dispatchEvent(new Event("media"));
  }
}

/** Wait until all candidates are in the local description, or one that is enough, or none came for GATHER_QUIET_MS. */
function gathered(connection, maxMs = GATHER_MAX_MS, enough = () => false) {
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
    const limit = setTimeout(done, maxMs);
    connection.addEventListener("icecandidate", ({ candidate }) => {
      clearTimeout(quiet);
      if (candidate && !enough(candidate)) quiet = setTimeout(done, GATHER_QUIET_MS);
      else done();
    }, { signal: stop.signal });
  });
}

/** Split an offer into the SDP without candidates, and the candidates, each with its media section. */
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

function fingerprints(sdp) {
  return sdp.match(/^a=fingerprint:.*$/gm)?.map((line) => line.trim().toLowerCase()) ?? [];
}

function hasH264() {
  return RTCRtpReceiver.getCapabilities?.("video")?.codecs.some(({ mimeType }) => mimeType === "video/H264") ?? true;
}

// Prefer H.264, which the door's camera delivers: the door then sends it sooner and cheaper, without encoding it again.
function preferH264(transceiver, wanted = () => true) {
  const codecs = RTCRtpReceiver.getCapabilities?.("video")?.codecs.filter(wanted);
  if (!codecs || !transceiver.setCodecPreferences) return;
  const first = codecs.filter(({ mimeType }) => mimeType === "video/H264");
  transceiver.setCodecPreferences([...first, ...codecs.filter((codec) => !first.includes(codec))]);
}
