// The unmodified reference client behind a few functions that a test can call. Nothing in it is patched.
import { SignalWire } from "@signalwire/js";

const calls = new Map();
const incoming = [];
const errors = [];
const sockets = [];
let client;
let answerWith = null;
let audioContext;

// The client takes a WebSocket constructor as an option; this one only keeps a list, so that a test can read the frames.
class ObservedWebSocket extends WebSocket {
  constructor(...parameters) {
    super(...parameters);
    sockets.push(this);
    this.addEventListener("message", (event) => frames.push({ from: "space", frame: event.data }));
  }
  send(data) {
    frames.push({ from: "client", frame: data });
    super.send(data);
  }
}
const frames = [];

// The client asks for a pool of ten candidates, with which Chromium gathers none at an ICE restart (tried in 156). Its
// WebRTC provider, a public option, lets a test leave the pool away.
const UNPOOLED = {
  RTCPeerConnection: class extends RTCPeerConnection {
    constructor(configuration) {
      super({ ...configuration, iceCandidatePoolSize: 0 });
    }
  },
  mediaDevices: navigator.mediaDevices,
};

function watch(call) {
  if (calls.has(call.id)) return;
  const entry = { call, history: [], told: [], answered: false };
  calls.set(call.id, entry);
  call.status$.subscribe({
    next: (status) => entry.history.push({ status, at: performance.timeOrigin + performance.now() }),
    error: (error) => errors.push(String(error)),
  });
  call.callStates$.subscribe(({ call_state }) => entry.told.push(call_state));
  call.errors$?.subscribe?.((error) => errors.push(String(error?.error ?? error)));
  call.remoteStream$.subscribe((stream) => {
    entry.stream = stream;
    document.getElementById("remote").srcObject = stream;
  });
  if (call.direction === "inbound") {
    incoming.push(call.id);
    if (answerWith) setTimeout(() => answer(call.id, answerWith), 0);
  }
}

function entryOf(id) {
  const entry = calls.get(id);
  if (!entry) throw new Error(`no call ${id}`);
  return entry;
}

function answer(id, options) {
  const entry = entryOf(id);
  entry.answered = true;
  entry.call.answer(options);
}

async function report(id) {
  const entry = entryOf(id);
  const status = entry.history.at(-1)?.status;
  const found = { status, history: entry.history, told: entry.told, direction: entry.call.direction };
  const pc = ["disconnected", "failed", "destroyed"].includes(status) ? null : entry.call.rtcPeerConnection;
  if (!pc) return found;
  for (const stat of (await pc.getStats()).values()) {
    if (stat.type === "inbound-rtp" && stat.kind === "audio") {
      found.audioPackets = stat.packetsReceived;
      found.audioEnergy = stat.totalAudioEnergy;
    }
    if (stat.type === "inbound-rtp" && stat.kind === "video") {
      found.videoFrames = stat.framesDecoded;
      found.videoWidth = stat.frameWidth;
    }
    if (stat.type === "outbound-rtp" && stat.kind === "audio") found.audioPacketsSent = stat.packetsSent;
    if (stat.type === "outbound-rtp" && stat.kind === "video") found.videoFramesSent = stat.framesEncoded;
  }
  return found;
}

// The strongest frequency in the remote sound over about a third of a second, Hz; 0 when it is silent.
async function heardTone(id, seconds = 0.4) {
  const entry = entryOf(id);
  audioContext ??= new AudioContext();
  await audioContext.resume();
  const source = audioContext.createMediaStreamSource(new MediaStream(entry.stream.getAudioTracks()));
  const analyser = audioContext.createAnalyser();
  analyser.fftSize = 16384;
  analyser.smoothingTimeConstant = 0;
  source.connect(analyser);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const bins = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(bins);
  source.disconnect();
  const best = bins.indexOf(Math.max(...bins));
  return bins[best] > -70 ? (best * audioContext.sampleRate) / analyser.fftSize : 0;
}

export const running = {
  get client() {
    return client;
  },
  call: (id) => entryOf(id).call,
};

window.reference = {
  async connect({ reconnectAttachedCalls = false, unpooled = false } = {}) {
    const provider = {
      authenticate: async (context) => JSON.parse(await window.mintToken(context?.fingerprint ?? "")),
    };
    client = new SignalWire(provider, {
      webSocketConstructor: ObservedWebSocket,
      skipDeviceMonitoring: true,
      reconnectAttachedCalls,
      savePreferences: false,
      ...(unpooled ? { webRTCApiProvider: UNPOOLED } : {}),
    });
    client.errors$.subscribe((error) => errors.push(`${error?.name}: ${error?.message} ${error?.cause ?? ""}`));
    await new Promise((resolve, reject) => {
      client.isRegistered$.subscribe((registered) => registered && resolve());
      client.errors$.subscribe((error) => reject(error));
    });
    client.session.calls$.subscribe((all) => all.forEach(watch));
  },
  answerWith(options) {
    answerWith = options;
  },
  answer,
  reject: (id) => entryOf(id).call.reject(),
  hangup: (id) => entryOf(id).call.hangup(),
  digits: (id, digits) => entryOf(id).call.sendDigits(digits),
  toggleHold: (id) => entryOf(id).call.toggleHold(),
  iceRestart: (id) => entryOf(id).call.requestIceRestart(),
  transfer: (id, destination) => entryOf(id).call.transfer({ destination }),
  async dial(destination, options = { audio: true, video: true }) {
    const startedAt = performance.timeOrigin + performance.now();
    const call = await client.dial(destination, options);
    watch(call);
    return { id: call.id, startedAt };
  },
  report,
  heardTone,
  state: () => ({
    connected: client?.isConnected ?? false,
    registered: client?.isRegistered ?? false,
    incoming: [...incoming],
    calls: [...calls.keys()],
    errors: [...errors],
    sockets: sockets.length,
  }),
  user: () => ({ id: client.user.id, addresses: client.user.addresses, claims: client.user.satClaims }),
  async directory() {
    const directory = client.directory;
    await new Promise((resolve) => {
      directory.hasMore$.subscribe((more) => (more ? directory.loadMore() : resolve()));
    });
    return directory.addresses.map((address) => address.name);
  },
  members(id) {
    const { self, participants, capabilities, layout, layouts, locked } = entryOf(id).call;
    const told = ({ id, name, audioMuted, videoMuted, deaf, handraised, inputVolume, outputVolume }) => (
      { id, name, audioMuted, videoMuted, deaf, handraised, inputVolume, outputVolume });
    return { self: self && told(self), participants: participants.map(told), capabilities, layout, layouts, locked };
  },
  async act(id, who, method, parameters) {
    const { call } = entryOf(id);
    const whom = { call, self: call.self, other: call.participants.find((one) => one.id !== call.self.id) }[who];
    try {
      await whom[method](...parameters);
      return "done";
    } catch (error) {
      return String(error.message);
    }
  },
  signalling: (id) => ({
    state: entryOf(id).call.rtcPeerConnection?.signalingState,
    policy: entryOf(id).call.rtcPeerConnection?.getConfiguration().iceTransportPolicy,
    modified: frames.some(({ from, frame }) => from === "client" && frame.includes('"updateMedia"')),
  }),
  shareScreen(id) {
    entryOf(id).call.self.startScreenShare().catch((error) => console.log(String(error)));
  },
  preflight: (destination, options) => client.preflight(destination, options),
  register: () => client.register(),
  unregister: () => client.unregister(),
  disconnect: () => client.disconnect(),
  cut: () => sockets.at(-1)?.close(),
  frames: () => frames.map(({ from, frame }) => ({ from, frame: JSON.parse(frame) })),
};
