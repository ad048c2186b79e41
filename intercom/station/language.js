// The page's language: its sentences, dates and numbers. The page begins with this file, so that the sentences come while
// the other files do; whatever shows words waits for it.
//
// A sentence of the document has its key in data-t, of a label in data-t-label, of a picture's text in data-t-alt; what
// stands there is English, and the same as in languages/en.json.

import "./languages.js";
import { loadSettings } from "./settings.js";

const DAY_MS = 86_400_000;
const WEEK = 7; // days for which a weekday alone says which day it is

const { languages } = globalThis;
const chosen = loadSettings().language;
const choice = languages.choose(chosen);
const sentences = await languages.read(await fetch(`languages/${choice.language}.json`), choice);

/** Return the sentence of this key, with its {names} filled in. */
export function t(key, values) {
  return sentences.say(key, values);
}

/** Return whether there is a sentence of this key. */
export function known(key) {
  return sentences.has(key);
}

export function timeWords(date) {
  return date.toLocaleTimeString(choice.locale, { hour: "numeric", minute: "2-digit" });
}

/** Return date and time, for a time in seconds since 1970. */
export function momentWords(seconds) {
  return new Date(seconds * 1000).toLocaleString(choice.locale, { dateStyle: "medium", timeStyle: "short" });
}

/** Return a date that the house tells as 2026-11-28. */
export function dateWords(day) {
  return new Date(`${day}T00:00`).toLocaleDateString(choice.locale, { dateStyle: "medium" });
}

/** Return the name of a day as seen from today: Today, Yesterday, Monday, Monday 3 March, Monday 3 March 2025. */
export function dayWords(day, today) {
  const ago = Math.round((startOf(today) - startOf(day)) / DAY_MS);
  if (ago === 0 || ago === 1) return capital(new Intl.RelativeTimeFormat(choice.locale, { numeric: "auto" }).format(-ago, "day"));
  if (ago > 1 && ago < WEEK) return capital(day.toLocaleDateString(choice.locale, { weekday: "long" }));
  const year = day.getFullYear() === today.getFullYear() ? undefined : "numeric";
  return capital(day.toLocaleDateString(choice.locale, { weekday: "long", day: "numeric", month: "long", year }));
}

function startOf(day) {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime();
}

function capital(words) {
  return words.charAt(0).toLocaleUpperCase(choice.locale) + words.slice(1);
}

/** Return a number with one digit behind the comma. */
export function tenthsWords(number) {
  return number.toLocaleString(choice.locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

function translate() {
  document.documentElement.lang = choice.language;
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-t-label]")) node.ariaLabel = t(node.dataset.tLabel);
  for (const node of document.querySelectorAll("[data-t-alt]")) node.alt = t(node.dataset.tAlt);
}

// The worker, which has no settings, finds the owner's choice in the cache.
async function tellWorker() {
  const cache = await caches.open("intercom-push");
  await cache.put("language", new Response(chosen));
}

translate();
if (globalThis.caches) tellWorker().catch(() => {}); // no storage: notifications speak the browser's language
