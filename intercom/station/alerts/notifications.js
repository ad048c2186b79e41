// The worker's part of a push: one notification for each ring, which the next news of that ring replaces.
//
// A push holds {kind, tag, at, door, by, quiet, receipt} (notices.py); its words are those of this device's language. Each
// push shows something: a browser takes the subscription from a worker that does not.

const RINGING = { icon: "icons/192.png", renotify: true, requireInteraction: true, data: { kind: "ring" },
  vibrate: [400, 200, 400, 2000, 400, 200, 400] };
const RINGING_SILENTLY = { icon: "icons/192.png", silent: true, requireInteraction: true, data: { kind: "ring" } };
const ENDS = new Set(["answered", "refused", "opened", "given_up", "missed", "lost"]);
const MISSED = new Set(["given_up", "missed", "lost"]);
const ANSWER_MS = 5000; // time limit for the house's answer

self.addEventListener("push", (event) => {
  event.waitUntil(take(noticeIn(event.data)));
});

// A page in the background rings by the worker too, so that one place shows and closes.
self.addEventListener("message", (event) => {
  const { rings, tap, silent, over, tag } = event.data ?? {};
  const manner = silent ? RINGING_SILENTLY : RINGING;
  if (rings) event.waitUntil(inTurn(() => self.registration.showNotification(rings, { body: tap, tag, ...manner })));
  if (over) event.waitUntil(inTurn(() => close(tag, RINGING.data.kind))); // "Missed" stays
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(tapped(event.notification.data));
});

async function tapped({ kind, seen }) {
  const [page] = await pages();
  if (!page) return self.clients.openWindow(kind === "proof" ? "./#rang" : "./");
  if (kind === "proof") page.postMessage({ tapped: seen ? "open" : "closed" });
  return page.focus();
}

// The browser gives this device another subscription: the house learns it now, as no page may be open for days.
self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(renew(event.newSubscription));
});

async function renew(given) {
  const cache = await caches.open("intercom-push");
  const known = await (await cache.match("subscription"))?.json();
  if (!known) return; // it was turned on by an older page: the next one tells the house
  const subscription = given ?? await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: known.key });
  const answer = await post("changed", { former: { endpoint: known.endpoint, auth: known.auth }, subscription });
  if (!answer.ok) return;
  const { endpoint, keys } = subscription.toJSON();
  await cache.put("subscription", new Response(JSON.stringify({ endpoint, auth: keys.auth, key: known.key })));
}

// Show what a push says; tell the house so, and show what it says in return: the ring may be over by now.
async function take(notice) {
  await show(notice);
  for (const page of await pages()) page.postMessage({ shown: notice.kind });
  const newest = await confirm(notice.receipt);
  if (newest && newest.kind !== notice.kind) await show({ ...newest, quiet: notice.quiet });
}

function show(notice) {
  return inTurn(() => showNow(notice));
}

async function showNow(notice) {
  const rings = ["ring", "proof"].includes(notice.kind);
  const [title, body] = await wordsOf(notice).catch(() => [notice.door || "Intercom", ""]); // the sentences are lost
  const seenBefore = notice.kind === "proof" && await looksAtPage();
  await self.registration.showNotification(title, {
    body, tag: notice.tag, icon: "icons/192.png", timestamp: notice.at * 1000,
    ...(rings ? notice.quiet ? RINGING_SILENTLY : RINGING : { silent: notice.kind !== "test" }), data: { kind: notice.kind, seen: seenBefore },
  });
  if (MISSED.has(notice.kind) && !(await pages()).length) await self.navigator.setAppBadge?.().catch(() => {}); // a page knows how many
  if (ENDS.has(notice.kind) && await looksAtPage()) await close(notice.tag, notice.kind); // whoever looks at the page sees there how the ring ended
}

async function looksAtPage() {
  return (await pages()).some((page) => page.visibilityState === "visible");
}

async function close(tag, kind) {
  const shown = await self.registration.getNotifications({ tag });
  shown.filter(({ data }) => data?.kind === kind).forEach((notification) => notification.close());
}

// Show and close one after another: Chromium forgets a notification that it is about to show when it is asked what it
// shows, and nothing closes it any more.
let turn = Promise.resolve();

function inTurn(act) {
  const done = turn.then(act);
  turn = done.catch(() => {}); // the browser refused it: the next may do better
  return done;
}

async function confirm(receipt) {
  try {
    const answer = await post("shown", { receipt });
    return answer.ok ? (await answer.json()).newest : null;
  } catch {
    return null; // the house is away: what was pushed stays
  }
}

function post(what, body) {
  return fetch(new URL(`../api/space/push/${what}`, self.registration.scope), {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(ANSWER_MS),
  });
}

function noticeIn(data) {
  try {
    const { kind, tag, at, door, by, quiet, receipt } = data.json();
    return { kind: String(kind ?? ""), tag: String(tag ?? "ring"), at: Number(at) || Date.now() / 1000, door, by, quiet, receipt };
  } catch {
    return { kind: "", tag: "ring", at: Date.now() / 1000 };
  }
}

// The sentences of this device's language, kept from one push to the next; the page leaves its owner's choice in the cache.
let spoken = null;

async function words() {
  const cache = await caches.open("intercom-push");
  const choice = languages.choose(await (await cache.match("language"))?.text());
  if (spoken?.language === choice.language) return spoken;
  const path = `languages/${choice.language}.json`;
  const sentences = await languages.read(await caches.match(path) ?? await fetch(path), choice);
  spoken = { ...choice, sentences };
  return spoken;
}

async function wordsOf({ kind, door, by, at }) {
  const { sentences, locale } = await words();
  const say = (key) => sentences.say(key, filled);
  const filled = {
    door: door || sentences.say("the-door"), by: by || sentences.say("somebody"),
    time: new Date(at * 1000).toLocaleTimeString(locale, { hour: "numeric", minute: "2-digit" }),
  };
  if (!sentences.has(`notice.${kind}`)) return [filled.door, say("notice.other.body")];
  return [say(`notice.${kind}`), say(`notice.${kind}.body`)];
}

function pages() {
  return self.clients.matchAll({ type: "window", includeUncontrolled: true });
}
