// The worker's part of a push: one notification for each ring, which the next news of that ring replaces.
//
// A push holds {kind, tag, at, door, by, receipt} (notices.py). Its words stand here, as a worker that every browser
// runs loads no modules. Each push shows something: a browser takes the subscription from a worker that does not.

const RINGING = { icon: "icon.svg", renotify: true, requireInteraction: true, data: { kind: "ring" },
  vibrate: [400, 200, 400, 2000, 400, 200, 400] };
const ENDS = new Set(["answered", "refused", "opened", "given_up", "missed", "lost"]);
const ANSWER_MS = 5000; // time limit for the house's answer

self.addEventListener("push", (event) => {
  event.waitUntil(take(noticeIn(event.data)));
});

// A page in the background rings by the worker too, so that one place shows and closes.
self.addEventListener("message", (event) => {
  const { rings, over, tag } = event.data ?? {};
  if (rings) event.waitUntil(inTurn(() => self.registration.showNotification(rings, { body: "Tap to answer.", tag, ...RINGING })));
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
  if (newest && newest.kind !== notice.kind) await show(newest);
}

function show(notice) {
  return inTurn(() => showNow(notice));
}

async function showNow(notice) {
  const rings = ["ring", "proof"].includes(notice.kind);
  const [title, body] = wordsOf(notice);
  const seenBefore = notice.kind === "proof" && await looksAtPage();
  await self.registration.showNotification(title, {
    body, tag: notice.tag, icon: "icon.svg", timestamp: notice.at * 1000,
    ...(rings ? RINGING : { silent: notice.kind !== "test" }), data: { kind: notice.kind, seen: seenBefore },
  });
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
    const { kind, tag, at, door, by, receipt } = data.json();
    return { kind: String(kind ?? ""), tag: String(tag ?? "ring"), at: Number(at) || Date.now() / 1000, door, by, receipt };
  } catch {
    return { kind: "", tag: "ring", at: Date.now() / 1000 };
  }
}

function wordsOf({ kind, door, by, at }) {
  const time = new Date(at * 1000).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
  const name = door || "The door";
  const who = by || "Somebody";
  const words = {
    ring: [`${name} is ringing`, `Since ${time}. Tap to answer.`],
    answered: [`${who} answered`, `${name} rang at ${time}.`],
    refused: [`${who} declined`, `${name} rang at ${time}.`],
    opened: [`${who} opened the door`, `${name} rang at ${time}.`],
    given_up: [`Missed: ${name}`, `It rang at ${time}; the visitor gave up.`],
    missed: [`Missed: ${name}`, `It rang at ${time}.`],
    lost: [`Missed: ${name}`, `It rang at ${time}; then the door lost its connection.`],
    test: ["This device rings", `A test at ${time}: notifications work here.`],
    proof: ["Does this device ring?", `A test at ${time}. Tap here, to say that you saw it.`],
  };
  return Object.hasOwn(words, kind) ? words[kind] : [name, `Something happened there at ${time}.`];
}

function pages() {
  return self.clients.matchAll({ type: "window", includeUncontrolled: true });
}
