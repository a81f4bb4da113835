// The page's texts, in the reader's language: the page's own /words.json has them all in every language.

const STORED = "authmail-language";
const all = await (await fetch("/words.json")).json();
export let language = chosen();

function chosen() {
  const wanted = [localStorage.getItem(STORED), ...navigator.languages].filter(Boolean);
  for (const tag of wanted) {
    if (all[tag]) return tag;
    const main = tag.split("-")[0];
    const near = Object.keys(all).find((known) => known.split("-")[0] === main);
    if (near) return near;
  }
  return "en";
}

// A text by its key; {name} is filled from values.
export function word(key, values = {}) {
  const text = all[language][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// A text whose key ends with a value from elsewhere; the value itself where there is none for it.
export function wordOf(group, value) {
  return all[language][`${group}.${value}`] ?? value;
}

export function applyWords(root = document) {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word);
  for (const element of root.querySelectorAll("[data-word-label]")) {
    element.setAttribute("aria-label", word(element.dataset.wordLabel));
  }
}

export function choose(tag) {
  language = tag;
  localStorage.setItem(STORED, tag);
  applyWords();
}

export function time(iso) {
  const date = new Date(iso);
  const today = date.toDateString() === new Date().toDateString();
  const options = today ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" };
  return new Intl.DateTimeFormat(language, options).format(date);
}
