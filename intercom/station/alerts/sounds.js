// The bell, the small sounds and the level meters, all by WebAudio: no files, so nothing to load when it rings.
//
// Events: "change" when the browser allows or forbids sound, or finds that there is nothing to play it with.

const RING_EVERY_S = 3; // interval of the rings: a calm door bell: ding, dong, pause
const AHEAD_S = 90; // time for which a sound that repeats is planned ahead: a background page has no dependable timers
const PLAN_EVERY_MS = 1000;
const RISE = [0.3, 0.6, 1]; // levels of the first rings: the very first is gentle, for the night
const DING_HZ = 659.26; // E5
const DONG_HZ = 523.25; // C5
const PARTIALS = [[1, 1, 1.6], [2.01, 0.4, 0.9], [3.02, 0.22, 0.5], [5.4, 0.08, 0.2]]; // frequency ratio, level, decay in s
const KNOCK_EVERY_S = 5; // interval of the knocks beside a call: noticed, and no hindrance to talking
const KNOCK_HZ = 220;
const METER_FLOOR_DB = -60;
const START_MAX_MS = 2000; // time limit for the sound to start: a browser with a loudspeaker needs some 50 ms after the tap

export class Sounds extends EventTarget {
  #context = null;
  #master = null;
  #playing = null;
  #knocking = null;
  #volume = 0.8;
  #mute = false;

  constructor() {
    super();
    if (!globalThis.AudioContext) return;
    this.#context = new AudioContext({ latencyHint: "interactive" });
    this.#master = this.#context.createGain();
    this.#master.connect(this.#context.destination);
    this.#context.addEventListener("statechange", () => {
      if (this.on) this.#mute = false;
      this.dispatchEvent(new Event("change"));
    });
  }

  /** Whether the page may make sound now. */
  get on() {
    return this.#context?.state === "running";
  }

  /** Whether this device has no loudspeaker that the browser can use; known after the first tap. */
  get impossible() {
    return !this.#context || this.#mute;
  }

  /** Enable sound; call this from a tap or a key, as browsers allow sound only then. */
  unlock() {
    if (this.on || !this.#context) return;
    this.#context.resume().catch(() => {}); // refused without a tap: "change" tells when it works
    if (navigator.userActivation?.isActive) setTimeout(() => this.#lookWhetherItPlays(), START_MAX_MS);
  }

  #lookWhetherItPlays() {
    if (this.on || this.#mute) return;
    this.#mute = true;
    this.dispatchEvent(new Event("change"));
  }

  get volume() {
    return this.#volume;
  }

  set volume(volume) {
    this.#volume = volume;
  }

  /** Ring until silence(). */
  ring() {
    this.#play((at, voices, i) => {
      const level = RISE[Math.min(i, RISE.length - 1)];
      strike(voices, DING_HZ, at, level);
      strike(voices, DONG_HZ, at + 0.55, level);
    }, RING_EVERY_S);
  }

  /** Knock softly, so often or until hush(): somebody rings beside the call, which goes on. */
  knock(times = Infinity) {
    this.hush();
    this.#knocking = this.#compose((at, voices) => {
      for (const gap of [0, 0.18]) beep(voices, KNOCK_HZ, at + gap, 0.07, 0.2);
    }, KNOCK_EVERY_S, times);
  }

  hush() {
    this.#fade(this.#knocking);
    this.#knocking = null;
  }

  /** Play one ding-dong, so that the resident hears the bell's volume. */
  sample() {
    this.#play((at, voices) => {
      strike(voices, DING_HZ, at, 1);
      strike(voices, DONG_HZ, at + 0.55, 1);
    });
  }

  ringback() {
    this.#play((at, voices) => beep(voices, 425, at, 1, 0.12), 4); // 425 Hz, 1 s on, 3 s off: ETSI
  }

  ended() {
    this.#play((at, voices) => {
      beep(voices, 480, at, 0.12, 0.15);
      beep(voices, 360, at + 0.16, 0.18, 0.15);
    });
  }

  opened() {
    this.#play((at, voices) => {
      beep(voices, 660, at, 0.09, 0.12);
      beep(voices, 880, at + 0.11, 0.16, 0.12);
    });
  }

  silence() {
    this.#fade(this.#playing);
    this.#playing = null;
  }

  /** Return a level meter of a stream, {level(): 0..1, close()}; null without an audio track or Web Audio. */
  meter(stream) {
    if (!this.#context || !stream?.getAudioTracks().length) return null;
    const source = this.#context.createMediaStreamSource(stream);
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 1024; // 21 ms at 48 kHz
    source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    return {
      level() {
        analyser.getFloatTimeDomainData(samples);
        const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
        return Math.min(1, Math.max(0, 1 - (10 * Math.log10(power + 1e-12)) / METER_FLOOR_DB));
      },
      close: () => source.disconnect(),
    };
  }

  #play(compose, everyS) {
    this.silence();
    this.#playing = this.#compose(compose, everyS);
  }

  // Play what compose(at, voices, i) makes, once, or every `everyS` seconds until it is faded or there were so many.
  #compose(compose, everyS = 0, times = everyS ? Infinity : 1) {
    if (!this.#context) return null;
    const out = this.#context.createGain();
    out.gain.value = this.#volume;
    out.connect(this.#master);
    const voices = new Voices(out);
    const beginsAt = this.#context.currentTime + 0.01;
    let planned = 0;
    const plan = () => {
      const until = this.#context.currentTime + AHEAD_S;
      for (; planned < times && beginsAt + planned * everyS < until; planned += 1) compose(beginsAt + planned * everyS, voices, planned);
      if (planned === times) voices.close();
    };
    plan();
    return { out, voices, timer: planned < times ? setInterval(plan, PLAN_EVERY_MS) : null };
  }

  #fade(sound) {
    if (!sound) return;
    const { out, voices, timer } = sound;
    clearInterval(timer);
    out.gain.setTargetAtTime(0, this.#context.currentTime, 0.02); // a hard stop clicks
    setTimeout(() => {
      voices.silence();
      out.disconnect();
    }, 200);
  }
}

// The tones of one sound: an oscillator for each pitch, however often it is struck. One for each note would be 240 for
// the rings that are planned ahead, and the browser goes through all of them 375 times a second.
class Voices {
  #out;
  #all = new Map();
  #endsAt = 0;

  constructor(out) {
    this.#out = out;
  }

  /** Plan a note: shape(level) gives the course of its level, an AudioParam that is 0 before and after. */
  note(pitchHz, at, lengthS, shape) {
    let voice = this.#all.get(pitchHz);
    if (!voice) {
      const { context } = this.#out;
      voice = { tone: new OscillatorNode(context, { frequency: pitchHz }), envelope: new GainNode(context, { gain: 0 }) };
      voice.tone.connect(voice.envelope).connect(this.#out);
      voice.tone.start(at);
      this.#all.set(pitchHz, voice);
    }
    shape(voice.envelope.gain);
    voice.envelope.gain.setValueAtTime(0, at + lengthS);
    this.#endsAt = Math.max(this.#endsAt, at + lengthS);
  }

  /** End the tones after the last note. */
  close() {
    for (const { tone } of this.#all.values()) tone.stop(this.#endsAt);
  }

  /** End the tones now. */
  silence() {
    for (const { tone } of this.#all.values()) tone.stop();
  }
}

function strike(voices, pitchHz, at, level) {
  for (const [ratio, share, decayS] of PARTIALS) {
    voices.note(pitchHz * ratio, at, decayS, (gain) => {
      gain.setValueAtTime(0, at);
      gain.linearRampToValueAtTime(level * share * 0.45, at + 0.005);
      gain.exponentialRampToValueAtTime(0.0001, at + decayS);
    });
  }
}

function beep(voices, pitchHz, at, lengthS, level) {
  voices.note(pitchHz, at, lengthS, (gain) => {
    gain.setValueAtTime(0, at);
    gain.linearRampToValueAtTime(level, at + 0.01);
    gain.setValueAtTime(level, at + lengthS - 0.02);
    gain.linearRampToValueAtTime(0, at + lengthS);
  });
}
