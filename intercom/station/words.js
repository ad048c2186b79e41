// What the page says of errors, calls, rings and pushes; the sentences are the language's own (language.js).

import { known, t, tenthsWords, timeWords } from "./language.js";
import { placeWords } from "./visitors/words.js";

export class StationError extends Error {
  constructor(code, detail = "") {
    super(detail || code);
    this.name = "StationError";
    this.code = code;
  }
}

const NO_FAULT = new Set(["NORMAL_CLEARING", "ORIGINATOR_CANCEL", "LOSE_RACE", "ALLOTTED_TIMEOUT"]);
const SAME_CAUSE = { NO_USER_RESPONSE: "cause.NO_ANSWER", MEDIA_TIMEOUT: "error.media-timeout" };

/** Return the reason why there is no live picture. */
export function troubleWords(trouble) {
  return wordsOr("trouble.other", `trouble.${trouble}`);
}

export function secondsWords(ms) {
  return ms < 60000 ? t("time.seconds", { count: Math.max(0, Math.round(ms / 1000)) }) : t("time.minutes", { count: Math.round(ms / 60000) });
}

export function errorWords(code) {
  return wordsOr("error.other", `error.${code}`);
}

/** Return the error code for a door that did not open; `seconds`: for how long no keys open it. */
export function doorError(reason, seconds) {
  const code = `door-${seconds ? "deaf" : reason}`;
  return known(`error.${code}`) ? code : "door-refused";
}

/** Return how the notifications of this device stand. */
export function pushWords(state) {
  return known(`push.${state}`) ? t(`push.${state}`) : "";
}

/** Return what became of a test: {fate, told, shown, shownMs}. */
export function pushTestWords({ fate, told, shown, shownMs }) {
  if (shown) return shownMs === undefined ? t("test.arrived") : t("test.arrived-after", { seconds: tenthsWords(shownMs / 1000) });
  if (fate === "gone") return t("test.gone");
  if (fate !== "accepted") return t("test.unsent", { why: told });
  return t("test.unseen");
}

export function elapsedWords(ms) {
  const total = Math.max(0, Math.floor(ms / 1000));
  const parts = [Math.floor(total / 60), total % 60];
  if (parts[0] >= 60) parts.splice(0, 1, Math.floor(parts[0] / 60), parts[0] % 60);
  return parts.map((part, i) => (i ? String(part).padStart(2, "0") : part)).join(":");
}

const RING_WORDS = {
  answered: ({ by }) => t("ring.answered", { by }),
  refused: ({ by }) => (by ? t("ring.refused-by", { by }) : t("ring.refused")),
  opened: ({ by }) => (by ? t("ring.opened-by", { by }) : t("ring.opened")),
  given_up: ({ door }) => t("ring.given-up", { door }),
  missed: ({ door }) => t("ring.missed", { door }),
  lost: ({ door }) => t("ring.lost", { door }),
};
const MISSED = new Set(["given_up", "missed", "lost"]);

/** Return the summary of a ring that is over here, {lastCall, missed}; who took it is told on every page alike. */
export function ringWords({ state, elsewhere, by, door: { name }, button, opened_by: opener, ended_at: endedAt, pressed_at: pressedAt }) {
  const door = placeWords({ door: { name }, button });
  if (elsewhere) return { lastCall: t("ring.elsewhere", { door }), missed: false };
  const how = RING_WORDS[state]?.({ by, door }) ?? t("ring.other");
  const what = opener && state === "answered" ? t("ring.and-opened", { what: how, by: opener }) : how;
  const told = t("ring.at", { what, time: timeWords(endedAt ? new Date(endedAt * 1000) : new Date()) });
  const lastCall = pressedAt ? t("ring.and-pressed", { what: told, time: timeWords(new Date(pressedAt * 1000)) }) : told;
  return { lastCall, missed: MISSED.has(state) };
}

/** Return the summary of a finished call: {lastCall, missed, problem}. lengthMs is null without a connection. */
export function closingWords({ direction, cause, errorCode, answered, late, from }, lengthMs, at, ring) {
  if (late) return { lastCall: t("ring.too-late", { what: ring ? ringWords(ring).lastCall : t("ring.given-up", { door: from.name }) }), missed: true, problem: "" };
  const elsewhere = cause === "LOSE_RACE" || (!answered && cause !== "CALL_REJECTED");
  if (elsewhere && ring && (ring.state !== "ringing" || ring.elsewhere)) return { ...ringWords(ring), problem: "" };
  const inbound = direction === "inbound";
  const key = SAME_CAUSE[cause] ?? `cause.${cause}`;
  const ended = t("cause.NORMAL_CLEARING");
  const words = known(key) ? t(key) : ended;
  const fault = known(key) && !NO_FAULT.has(cause);
  if (errorCode || (fault && !inbound)) return { lastCall: "", missed: false, problem: errorCode ? "" : words };
  const declined = inbound && cause === "CALL_REJECTED";
  const missed = inbound && !answered && !declined && cause !== "LOSE_RACE";
  const how = declined ? t("ring.refused") : missed ? t("ring.given-up", { door: from.name }) : fault ? ended : words;
  const what = lengthMs === null ? how : t("ring.and-lasted", { what: how, time: elapsedWords(lengthMs) });
  return { lastCall: t("ring.at", { what, time: timeWords(at) }), missed, problem: "" };
}

function wordsOr(otherwise, key) {
  return t(known(key) ? key : otherwise);
}
