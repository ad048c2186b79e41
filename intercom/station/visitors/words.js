// What the visitors' list says of a visit.

import { t } from "../language.js";

const OUTCOMES = {
  ringing: () => t("visit.ringing"),
  answered: ({ by }) => t("ring.answered", { by }),
  refused: ({ by }) => (by ? t("ring.refused-by", { by }) : t("ring.refused")),
  opened: ({ by }) => (by ? t("ring.opened-by", { by }) : t("ring.opened")),
  given_up: () => t("visit.given-up"),
  missed: () => t("visit.missed"),
  lost: () => t("visit.lost"),
};
const MISSED = new Set(["given_up", "missed", "lost"]);

export function isMissed({ state }) {
  return MISSED.has(state);
}

/** Return the name of the door, after that of its button where it has several: a narrow row cuts the end off. */
export function placeWords({ door, button }) {
  return button ? `${button} · ${door.name}` : door.name;
}

/** Return what the house had the door say, one sentence each; the latest last. */
export function replyWords({ replies = [] }) {
  return replies.map(({ text, by }) => (by ? t("reply.by", { by, text }) : t("reply.itself", { text })));
}

/** Return how a visit ended, and who opened the door. */
export function outcomeWords(visit) {
  const what = OUTCOMES[visit.state]?.(visit) ?? t("ring.other");
  return visit.opened_by && visit.state !== "opened" ? t("ring.and-opened", { what, by: visit.opened_by }) : what;
}
