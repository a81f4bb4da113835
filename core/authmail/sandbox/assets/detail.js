// One message: its code and link, its parts, its outcome, and what the provider was asked and answered.

import { element } from "/element.js";
import { faultControls } from "/faults.js";
import { time, word, wordOf } from "/words.js";

async function get(path) {
  const answer = await fetch(path);
  return answer.ok ? answer.json() : null; // deleted meanwhile
}

// Draws an entry; isCurrent tells whether it is still wanted once everything is there.
export async function showDetail(place, entry, isCurrent) {
  const [kind, id] = entry.key.split("-");
  const [attempt, mails, exchanges] = await Promise.all([
    kind === "attempt" ? get(`/api/attempts/${id}`) : null,
    Promise.all(entry.mails.map((number) => get(`/api/messages/${number}`))),
    Promise.all(entry.exchanges.map((number) => get(`/api/exchanges/${number}`))),
  ]);
  if (!isCurrent()) return;
  const mail = mails.filter(Boolean).at(-1) ?? null;
  const requests = exchanges.filter(Boolean).map((exchange, index) => request(exchange, index, exchanges.length));
  const main = mail ? [findings(mail), parts(mail)] : [outcome(entry, attempt)];
  const beside = mail ? [outcome(entry, attempt), ...requests] : requests;
  place.replaceChildren(
    element("a", { class: "back", href: "#" }, `‹ ${word("back")}`),
    heading(entry, mail),
    element("div", { class: "columns" },
      element("div", { class: "mail" }, ...main),
      element("aside", { "aria-label": word("beside") }, ...beside),
    ),
  );
}

function heading(entry, mail) {
  const facts = { from: mail?.sender, to: mail ? mail.to.join(", ") : entry.to, replyTo: mail?.reply_to };
  const rows = Object.entries(facts).filter(([, value]) => value);
  return element("header", {},
    element("h2", {}, entry.subject || entry.type || ""),
    element("dl", {}, ...rows.flatMap(([name, value]) => [element("dt", {}, wordOf("fact", name)), element("dd", {}, value)])),
    element("p", { class: "note" }, element("time", { datetime: entry.at }, time(entry.at)), ` · ${entry.connector}${entry.type ? ` · ${entry.type}` : ""}`),
  );
}

// The code in large type, else the link: what a person came for.
function findings(mail) {
  const code = mail.code && element("div", { class: "found" },
    element("h3", {}, word("code")),
    element("output", { id: "code" }, mail.code),
    copyButton("code", mail.code),
  );
  const link = mail.link && element("div", { class: "found link" },
    element("h3", {}, word("link")),
    element("p", { class: "address" }, mail.link),
    element("span", { class: "buttons" },
      element("a", { class: "button primary", href: mail.link, target: "_blank", rel: "noopener noreferrer" }, word("open")),
      copyButton("link", mail.link),
    ),
  );
  return code || link ? element("div", { class: "findings" }, code, link) : "";
}

function copyButton(name, text) {
  const button = element("button", { type: "button", "data-copy": name, click: copy }, word("copy"));
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      copyBySelection(text); // no clipboard where the page was opened by a network address
    }
    button.textContent = word("copied");
    document.getElementById("news").textContent = word("copied");
    setTimeout(() => (button.textContent = word("copy")), 1500);
  }
  return button;
}

function copyBySelection(text) {
  const field = element("textarea", { class: "unseen", readonly: true });
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

// HTML, text and source, as tabs.
function parts(mail) {
  const panels = [];
  if (mail.html != null) panels.push(["part.html", () => frame(mail)]);
  panels.push(["part.text", () => text(mail)]);
  if (mail.html != null) panels.push(["part.source", () => element("pre", { tabindex: "0" }, mail.html)]);
  const panel = element("div", { role: "tabpanel", id: "part" });
  const tabs = panels.map(([key, content], index) => element("button", {
    type: "button", role: "tab", id: `tab-${index}`, "aria-controls": "part",
    click: () => select(index),
    keydown: (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) select((index + step + tabs.length) % tabs.length).focus();
    },
  }, word(key)));
  function select(index) {
    tabs.forEach((tab, number) => {
      tab.setAttribute("aria-selected", String(number === index));
      tab.tabIndex = number === index ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", `tab-${index}`);
    panel.replaceChildren(panels[index][1]());
    return tabs[index];
  }
  select(0);
  return element("section", { class: "parts", "aria-label": word("mail") }, element("div", { role: "tablist" }, ...tabs), panel);
}

// A frame of its own for every mail: no script, no form, no request; its links open outside, by a click.
function frame(mail) {
  const remote = /(?:src|background)\s*=\s*["']?https?:|url\(\s*["']?https?:/i.test(mail.html);
  return element("div", { class: "frame" },
    element("iframe", {
      sandbox: "allow-popups allow-popups-to-escape-sandbox", referrerpolicy: "no-referrer",
      src: `/mails/${mail.id}`, title: word("part.frame", { subject: mail.subject }),
    }),
    remote ? element("p", { class: "note" }, word("part.remote")) : "",
  );
}

function text(mail) {
  const derived = mail.text == null && element("p", { class: "note" }, word("part.derived"));
  return element("div", {}, element("pre", { tabindex: "0" }, mail.readable), derived || "");
}

// What the sender was told: of a test message the one answer of authmail, else what the provider answered.
function outcome(entry, attempt) {
  const answer = attempt?.answer ?? {};
  const facts = ["reason", "phase", "code", "status", "message_id", "request_id", "retry_after", "detail"];
  const rows = facts.filter((name) => answer[name] != null && answer[name] !== "");
  const badge = element("span", { class: `badge ${entry.outcome.replace(" ", "-")}` }, wordOf("outcome", entry.outcome));
  const explained = answer.hint || wordOf("explained", entry.outcome);
  return element("section", { class: "card" },
    element("h3", {}, word("outcome"), " ", badge),
    explained !== entry.outcome ? element("p", { class: "explained" }, explained) : "",
    answer.consequence ? element("p", { class: "note" }, wordOf("consequence", answer.reason === "content" && answer.outcome === "account" ? "content" : answer.outcome)) : "",
    element("dl", {}, ...rows.flatMap((name) => [element("dt", {}, wordOf("fact", name)), element("dd", {}, String(answer[name]))])),
  );
}

function request(exchange, index, count) {
  const seconds = exchange.seconds == null ? "" : ` · ${exchange.seconds < 1 ? `${Math.round(exchange.seconds * 1000)} ms` : `${exchange.seconds.toFixed(1)} s`}`;
  return element("section", { class: "card exchange" },
    element("h3", {}, count > 1 ? word("request.of", { number: index + 1, count }) : word("request")),
    element("p", { class: "request" }, element("code", {}, exchange.request), seconds),
    values(exchange.parameters),
    Object.keys(exchange.headers).length ? element("details", {}, element("summary", {}, word("headers")), values(exchange.headers)) : "",
    element("h4", {}, word("answer"), " ", element("code", {}, exchange.status ?? wordOf("outcome", exchange.ending))),
    exchange.answer ? element("pre", { tabindex: "0" }, pretty(exchange.answer)) : "",
  );
}

const LONG = 120;

function values(record) {
  return element("dl", { class: "values" }, ...Object.entries(record).flatMap(([name, value]) => [
    element("dt", {}, name),
    element("dd", {}, value.length <= LONG ? value : element("details", {}, element("summary", {}, `${value.slice(0, 60)}…`), element("pre", { tabindex: "0" }, value))),
  ]));
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

// How to send into the sandbox: shown before the first mail, and on demand.
export function showHome(place, about, isEmpty, compose) {
  const canCompose = about.connectors.some((connector) => connector.usable);
  place.replaceChildren(
    element("a", { class: "back", href: "#" }, `‹ ${word("back")}`),
    element("div", { class: "home" },
      element("h2", {}, word(isEmpty ? "home.waiting" : "settings")),
      element("p", {}, word("home.how")),
      canCompose ? element("p", {}, element("button", { type: "button", class: "primary", click: compose }, word("compose"))) : "",
      ...about.connectors.map((connector) => {
        const config = JSON.stringify(connector.config, null, 2);
        return element("section", { class: "card" },
          element("h3", {}, word("home.config", { connector: connector.id }), copyButton("config", config)),
          element("pre", { tabindex: "0" }, config),
          connector.faults.length ? faultControls(connector) : "",
        );
      }),
      element("p", { class: "note" }, word("home.keys")),
    ),
  );
}
