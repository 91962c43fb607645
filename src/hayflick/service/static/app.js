// What the pages of the service do beyond what they show: they follow changes, show values under
// the pointer, and listen to keys. Everything can be read, and every form be sent, without it.
"use strict";

const words = document.getElementById("words")?.dataset ?? {};
const state = document.getElementById("live-state");

// --- Changes: parts with an id and data-live are replaced by those of the page as it is now.

const AT_MOST_EVERY_MS = 2000;
const AT_LEAST_EVERY_MS = 60000;
const TRY_AGAIN_MS = 10000;
let due = null, last = 0, running = false, missed = false;

function isBusy(part) {
  // What somebody is typing or choosing is left alone.
  const active = document.activeElement;
  return part.contains(active) && active.matches("input:not([type=checkbox]), textarea, select");
}

async function drawn(part, fresh) {
  // Pictures that are in sight are there before they take the places of others.
  const dark = matchMedia("(prefers-color-scheme: dark)").matches, waiting = [];
  for (const old of part.querySelectorAll("picture img")) {
    const box = old.getBoundingClientRect();
    if (box.bottom < 0 || box.top > innerHeight) continue;
    const image = [...fresh.querySelectorAll("picture img")].find(one => one.alt === old.alt);
    if (!image) continue;
    const picture = new Image();
    picture.src = (dark && image.parentElement.querySelector("source")?.srcset) || image.src;
    waiting.push(picture.decode().catch(() => {}));
  }
  await Promise.race([Promise.all(waiting), new Promise(done => { setTimeout(done, 4000); })]);
}

async function replaceParts(page) {
  let changed = false;
  for (const part of document.querySelectorAll("[data-live][id]")) {
    const now = page.getElementById(part.id);
    if (!now || now.outerHTML === part.dataset.was || now.outerHTML === part.outerHTML) continue;
    await drawn(part, now);
    if (!part.isConnected || isBusy(part)) continue;
    const focused = part.contains(document.activeElement) ? pathOf(document.activeElement, part) : null;
    const open = [...part.querySelectorAll("details")].map(one => one.open);
    const fresh = document.importNode(now, true);
    fresh.dataset.was = now.outerHTML;
    part.replaceWith(fresh);
    [...fresh.querySelectorAll("details")].forEach((one, place) => { one.open ||= Boolean(open[place]); });
    if (focused) fresh.querySelector(focused)?.focus({ preventScroll: true });
    prepare(fresh);
    changed = true;
  }
  return changed;
}

function pathOf(element, within) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  const all = [...within.querySelectorAll(element.localName)];
  const href = element.getAttribute("href");
  if (href) return `${element.localName}[href="${CSS.escape(href)}"]`;
  return all.length === 1 ? element.localName : null;
}

async function refresh(told = true) {
  due = null;
  missed = document.hidden;
  if (missed) return;
  if (running) { schedule(); return; }
  running = true;
  last = Date.now();
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html", "X-Hayflick-Refresh": "1" } });
    if (answer.redirected && new URL(answer.url).pathname !== location.pathname) { location.reload(); return; }
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (await replaceParts(page)) { if (told) say(words.changed); document.dispatchEvent(new Event("hayflick:changed")); }
  } catch {
    schedule(3 * AT_MOST_EVERY_MS);
  } finally {
    running = false;
  }
}

function schedule(wait = 0) {
  // Viewers of one change do not all come at the same moment.
  const earliest = Math.max(wait, last + AT_MOST_EVERY_MS - Date.now(), 100 + 400 * Math.random());
  due ??= setTimeout(() => refresh(), earliest);
}

function say(message) {
  if (state && message && state.textContent !== message) state.textContent = message;
}

function concerns(message) {
  const wanted = document.body.dataset.liveStream ?? document.querySelector("[data-live-stream]")?.dataset.liveStream;
  try {
    const { stream } = JSON.parse(message.data);
    return !wanted || !stream || stream === wanted;
  } catch {
    return true;
  }
}

function listen(url) {
  let broken = false;
  const events = new EventSource(url);
  events.addEventListener("open", () => {
    say(words.liveOn);
    // What has changed while nothing was heard.
    if (broken) schedule();
    broken = false;
  });
  events.addEventListener("error", () => {
    broken = true;
    say(words.liveOff);
    // A browser tries again by itself, but not where it was refused.
    if (events.readyState === EventSource.CLOSED) setTimeout(() => { schedule(); listen(url); }, TRY_AGAIN_MS);
  });
  for (const kind of ["message", "round", "state", "alert", "action", "review", "rules"]) {
    events.addEventListener(kind, message => { if (concerns(message)) schedule(); });
  }
  window.addEventListener("pagehide", () => events.close());
}

function follow() {
  const url = document.body.dataset.liveUrl;
  if (!url || !window.EventSource || !document.querySelector("[data-live]")) return;
  listen(url);
  // Lengths of time grow, also where nothing happens.
  setInterval(() => { if (!document.hidden && !running) refresh(false); }, AT_LEAST_EVERY_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden && missed) schedule(); });
}

// --- Values of charts: under the pointer, and by the arrow keys.

const values = new Map();

function numbersOf(url) {
  if (!values.has(url)) {
    values.set(url, fetch(url).then(answer => (answer.ok ? answer.json() : null)).catch(() => null));
  }
  return values.get(url);
}

function preparePlot(plot) {
  const cursor = document.createElement("span"), label = document.createElement("output");
  cursor.className = "cursor";
  cursor.hidden = label.hidden = true;
  plot.append(cursor, label);
  let at = null;
  const show = (numbers, place) => {
    if (!numbers || !numbers.rounds.length) return;
    at = Math.min(numbers.rounds.length - 1, Math.max(0, place));
    const share = numbers.left + (numbers.right - numbers.left) * (at + 0.5) / numbers.rounds.length;
    const round = numbers.rounds[at];
    label.textContent = `${round.name}: ${round.value ?? words.noReading}${round.note ? ` · ${round.note}` : ""}`;
    cursor.hidden = label.hidden = false;
    cursor.style.left = `${100 * share}%`;
    const most = Math.max(0, plot.clientWidth - label.offsetWidth);
    label.style.left = `${Math.min(most, Math.max(0, share * plot.clientWidth - label.offsetWidth / 2))}px`;
  };
  const hide = () => { cursor.hidden = label.hidden = true; };
  const point = async event => {
    const box = plot.getBoundingClientRect(), share = (event.clientX - box.left) / box.width;
    const numbers = await numbersOf(plot.dataset.values);
    if (!numbers) return;
    show(numbers, Math.floor((share - numbers.left) / (numbers.right - numbers.left) * numbers.rounds.length));
  };
  plot.addEventListener("pointermove", point);
  plot.addEventListener("pointerdown", point);
  plot.addEventListener("pointerleave", hide);
  plot.addEventListener("blur", hide);
  plot.addEventListener("keydown", async event => {
    const numbers = await numbersOf(plot.dataset.values);
    if (!numbers) return;
    const end = numbers.rounds.length - 1, now = at ?? end + 1;
    const places = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: end };
    if (event.key in places) show(numbers, places[event.key]);
    if (event.key === "Escape") hide();
  });
  plot.addEventListener("keydown", event => {
    if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) event.preventDefault();
  });
}

// --- Lists that can be searched.

function prepareSearch(field) {
  const search = () => {
    const wanted = field.value.trim().toLowerCase();
    for (const row of document.querySelectorAll(`${field.dataset.searches} [data-search]`)) {
      row.hidden = !row.dataset.search.toLowerCase().includes(wanted);
    }
  };
  field.closest("[hidden]")?.removeAttribute("hidden");
  field.addEventListener("input", search);
  document.addEventListener("hayflick:changed", search);
  search();
}

// --- Keys: g and a letter goes to a page, / searches, j and k move in a list, and a part with
// data-key is clicked by its key.

let going = false;

function isTyping(event) {
  return event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select");
}

function move(step) {
  const links = [...document.querySelectorAll("[data-list] a[data-item]")].filter(one => one.offsetParent);
  if (!links.length) return;
  const place = links.indexOf(document.activeElement) + step;
  links[place < 0 ? 0 : Math.min(place, links.length - 1)].focus();
}

document.addEventListener("keydown", event => {
  if (isTyping(event)) return;
  if (going) {
    going = false;
    const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    if (event.key && link) { event.preventDefault(); link.click(); return; }
  }
  if (event.key === "g") { going = true; return; }
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "/") {
    const field = document.querySelector("input[type=search]");
    if (field) { event.preventDefault(); field.focus(); }
  } else if (event.key.length === 1) {
    const part = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (part && !part.disabled) { event.preventDefault(); part.click(); }
  }
});

// --- Forms that ask before they do what cannot be undone, and those that are sent in place:
// the parts of the answer take the places of those of the page.

document.addEventListener("submit", async event => {
  const form = event.target, by = event.submitter;
  const question = by?.dataset.confirm ?? form.dataset.confirm;
  if (question !== undefined && !window.confirm(question || words.confirm)) { event.preventDefault(); return; }
  if (!("inPlace" in form.dataset)) return;
  event.preventDefault();
  const fields = new URLSearchParams(new FormData(form, by));
  // A button that is disabled loses the focus, which is on the same one afterwards.
  const focused = document.activeElement?.id;
  form.querySelectorAll("button").forEach(one => { one.disabled = true; });
  try {
    const answer = await fetch(by?.hasAttribute("formaction") ? by.formAction : form.action, { method: "POST", body: fields, headers: { Accept: "text/html" } });
    if (!answer.ok || new URL(answer.url).pathname !== location.pathname) { location.reload(); return; }
    await replaceParts(new DOMParser().parseFromString(await answer.text(), "text/html"));
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    document.dispatchEvent(new Event("hayflick:changed"));
  } catch {
    location.reload();
  }
});

function prepare(part) {
  // What is not quite up to date says when to look again.
  const again = part.dataset?.again ?? part.querySelector("[data-again]")?.dataset.again;
  if (again) schedule(Number(again));
  // What scrolls can be scrolled by keys.
  for (const one of part.querySelectorAll(".scroll")) {
    if (one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight) one.tabIndex = 0;
  }
  part.querySelectorAll(".plot[data-values]").forEach(preparePlot);
  part.querySelectorAll("input[data-searches]").forEach(prepareSearch);
}

prepare(document);
follow();
