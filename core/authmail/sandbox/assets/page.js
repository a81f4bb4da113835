// The list, its keys, the form, and keeping up to date. What is shown of a message is in detail.js.
// Texts of mails only ever become text nodes: nothing here parses them as HTML.

import { applyWords, choose, language, time, word, wordOf } from "/words.js";
import { element } from "/element.js";
import { isCode } from "/faults.js";
import { showDetail, showHome } from "/detail.js";

const WAIT = 25; // seconds that the server holds a request while nothing changes
const HIDDEN_PAUSE = 5; // seconds between looks of a tab in the background: browsers allow six connections to a host
const LONGEST_PAUSE = 5; // seconds between tries while the sandbox is away

const at = (id) => document.getElementById(id);
const list = at("entries");
const form = at("form").querySelector("form");
let about = { connectors: [], types: [], locales: [] };
let entries = [];
let version = "";
let shown = ""; // what the detail shows, as text, to see whether it changed
let unread = 0;

const small = matchMedia("(max-width: 760px)");
const chosen = () => location.hash.slice(1);
// What was chosen; else, where there is room beside the list, the newest.
const selected = () => chosen() || (small.matches ? "" : entries.filter(filter())[0]?.key ?? "");
const isFailure = (entry) => !["accepted", "answered", "sending", "open"].includes(entry.outcome);
const filters = { all: () => true, mails: (entry) => entry.mails.length > 0, failures: isFailure };
const filter = () => filters[document.querySelector("[name=filter]:checked").value];

// Keeping up to date.

async function follow() {
  for (let pause = 0; ; ) {
    try {
      const timeout = document.hidden ? 0 : WAIT;
      const url = `/api/activity?version=${encodeURIComponent(version)}&timeout=${timeout}`;
      const answer = await fetch(url, { signal: AbortSignal.timeout((timeout + 10) * 1000) });
      if (!answer.ok) throw new Error(answer.status);
      at("connection").textContent = "";
      if (answer.status === 200) await take(await answer.json());
      pause = document.hidden ? HIDDEN_PAUSE : answer.status === 200 ? 0.2 : 0;
    } catch {
      at("connection").textContent = word("disconnected");
      pause = Math.min(LONGEST_PAUSE, pause + 1);
    }
    if (pause) await rest(pause);
  }
}

// Ends early when the tab is looked at again, as after the sleep of a laptop.
function rest(seconds) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, seconds * 1000);
    document.addEventListener("visibilitychange", done, { once: true });
    function done() {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", done);
      resolve();
    }
  });
}

async function take(news) {
  const first = version === "";
  const restarted = !first && news.version.split("-")[0] !== version.split("-")[0];
  if (first || restarted) await learn();
  const known = new Set(restarted ? [] : entries.map((entry) => entry.key));
  const arrived = first ? [] : news.entries.filter((entry) => !known.has(entry.key));
  const finished = news.entries.filter((entry) => entries.some((old) => old.key === entry.key && old.outcome !== entry.outcome));
  version = news.version;
  entries = news.entries;
  drawList();
  await drawDetail();
  announce([...arrived, ...finished].filter((entry) => !["sending", "open"].includes(entry.outcome)));
}

function announce(news) {
  if (news.length === 0) return;
  const [entry] = news;
  const code = entry.code ? word("news.code", { code: [...entry.code].join(" ") }) : "";
  at("news").textContent = `${wordOf("outcome", entry.outcome)}: ${title(entry)} ${code}`;
  if (document.hidden) unread += news.length;
  drawTitle();
}

function drawTitle() {
  document.title = `${unread ? `(${unread}) ` : ""}authmail ${word("sandbox")}`;
}

async function learn() {
  about = await (await fetch("/api/sandbox")).json();
  drawForm();
}

// The list.

const title = (entry) => entry.subject || entry.type || entry.connector;

function drawList() {
  const visible = entries.filter(filter());
  const old = new Map([...list.children].map((item) => [item.dataset.key, item]));
  const items = visible.map((entry) => {
    const item = old.get(entry.key) ?? newItem(entry.key);
    const state = language + JSON.stringify(entry);
    if (item.dataset.state !== state) fill(item, entry, state);
    return item;
  });
  // Only what is out of place is moved, so that focus stays where it is.
  items.forEach((item, index) => list.children[index] !== item && list.insertBefore(item, list.children[index] ?? null));
  while (list.children.length > items.length) list.lastChild.remove();
  mark();
  at("none").hidden = visible.length > 0;
  at("none").textContent = word(entries.length ? "none.filtered" : "none");
  at("clear").disabled = entries.length === 0;
}

function newItem(key) {
  const item = element("li", {}, element("a", { href: `#${key}` }));
  item.dataset.key = key;
  return item;
}

function fill(item, entry, state) {
  item.dataset.state = state;
  const badge = element("span", { class: `badge ${entry.outcome.replace(" ", "-")}` }, wordOf("outcome", entry.outcome));
  item.firstChild.replaceChildren(
    element("span", { class: "line" }, element("span", { class: "to" }, entry.to || entry.connector), element("time", { datetime: entry.at }, time(entry.at))),
    element("span", { class: "subject" }, title(entry)),
    element("span", { class: "line" }, badge, entry.code ? element("code", {}, entry.code) : ""),
  );
}

function mark() {
  for (const item of list.children) {
    const link = item.firstChild;
    if (item.dataset.key === selected()) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

async function drawDetail() {
  const entry = entries.find((candidate) => candidate.key === selected());
  document.body.classList.toggle("reading", chosen() !== "" && (entry !== undefined || chosen() === "settings"));
  document.body.classList.toggle("empty", entries.length === 0);
  const state = language + (entry ? JSON.stringify(entry) : JSON.stringify(about) + entries.length);
  if (state === shown) return;
  shown = state;
  if (entry) await showDetail(at("detail"), entry, () => shown === state);
  else showHome(at("detail"), about, entries.length === 0, compose);
}

async function turn() {
  mark();
  list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  await drawDetail();
  if (small.matches && chosen()) at("detail").focus();
}

addEventListener("hashchange", turn);
small.addEventListener("change", turn);

for (const input of document.querySelectorAll("[name=filter]")) {
  input.addEventListener("change", () => {
    drawList();
    drawDetail();
  });
}

at("clear").addEventListener("click", async () => {
  if (!confirm(word("clear.sure"))) return;
  await fetch("/api/messages", { method: "DELETE" });
  location.hash = "";
});

// Keys: only where no control has the focus, so that nobody who types or uses a screen reader meets them.

document.addEventListener("keydown", (event) => {
  const focused = document.activeElement;
  const inList = list.contains(focused) || focused === document.body;
  if (!(inList || focused === at("detail")) || event.ctrlKey || event.metaKey || event.altKey) return;
  const steps = { j: 1, k: -1, ...(inList ? { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity } : {}) };
  if (event.key in steps) move(steps[event.key]);
  else if (event.key === "Enter" && focused.hash && focused.hash === location.hash) turn().then(() => at("detail").focus());
  else if (event.key === "c") document.querySelector("#detail .found [data-copy]")?.click();
  else if (event.key === "n") compose();
  else if (event.key === "Escape") location.hash = "";
  else return;
  event.preventDefault();
});

function move(step) {
  const links = [...list.querySelectorAll("a")];
  if (links.length === 0) return;
  const focused = links.indexOf(document.activeElement);
  const current = focused >= 0 ? focused : links.findIndex((link) => link.ariaCurrent);
  const next = links[Math.max(0, Math.min(links.length - 1, current + step))];
  next.focus();
  // On a small screen the message would hide the list; there Enter opens it.
  if (small.matches) return;
  history.replaceState(null, "", next.hash);
  turn();
}

// The form.

function drawForm() {
  const keep = Object.fromEntries(new FormData(form));
  const usable = about.connectors.filter((connector) => connector.usable);
  form.connector.replaceChildren(...usable.map((connector) => element("option", {}, connector.id)));
  form.type.replaceChildren(...about.types.map((type) => element("option", {}, type)));
  at("locales").replaceChildren(...about.locales.map((locale) => element("option", { value: locale })));
  for (const name of ["connector", "type"]) if (keep[name]) form[name].value = keep[name];
  at("compose").disabled = usable.length === 0;
  drawFaults(keep.fault);
}

function drawFaults(chosen = "") {
  const faults = about.connectors.find((connector) => connector.id === form.connector.value)?.faults ?? [];
  const situations = faults.filter((fault) => !isCode(fault));
  form.fault.replaceChildren(
    element("option", { value: "" }, word("form.fault.none")),
    element("optgroup", { label: word("form.fault.situations") },
      ...situations.map((fault) => element("option", { value: fault.recipient }, `${fault.recipient}@ – ${fault.help}`))),
    element("optgroup", { label: word("form.fault.codes") },
      ...faults.filter(isCode).map((fault) => element("option", { value: fault.recipient }, fault.code))),
  );
  form.fault.value = chosen;
  form.fault.parentElement.hidden = faults.length === 0;
}

function compose() {
  if (at("compose").disabled) return;
  if (!form.to.value) form.to.value = "zoe@example.com";
  if (!form.locale.value) form.locale.value = language;
  at("form-problem").textContent = "";
  at("form").showModal();
  form.type.focus();
}

at("compose").addEventListener("click", compose);
at("cancel").addEventListener("click", () => at("form").close());
form.connector.addEventListener("change", () => drawFaults());
form.fault.addEventListener("change", () => {
  form.to.value = `${form.fault.value || "zoe"}@${form.to.value.split("@")[1] || "example.com"}`;
});
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { connector, type, locale, to } = Object.fromEntries(new FormData(form));
  try {
    const body = JSON.stringify({ connector, type, locale, to });
    const answer = await fetch("/api/attempts", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    const attempt = await answer.json();
    if (!answer.ok) throw new Error(attempt.error);
    at("form").close();
    location.hash = `attempt-${attempt.id}`;
  } catch (error) {
    at("form-problem").textContent = error instanceof TypeError ? word("disconnected") : error.message;
  }
});

// Language.

at("language").value = language;
at("language").addEventListener("change", async () => {
  choose(at("language").value);
  drawTitle();
  drawForm();
  drawList();
  await drawDetail();
});
document.addEventListener("visibilitychange", () => {
  unread = 0;
  drawTitle();
});

applyWords();
drawTitle();
follow();
