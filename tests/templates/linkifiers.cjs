// What the linkifiers of npm make of texts: reads a JSON list of texts, prints a JSON list of lists of what each would link.
const { readFileSync } = require('node:fs')
const linkify = require('linkifyjs')
const { Autolinker } = require('autolinker')
const loaded = require('linkify-it')
const LinkifyIt = loaded.default ?? loaded.LinkifyIt ?? loaded

const strict = new LinkifyIt({}, { fuzzyLink: true, fuzzyEmail: true, fuzzyIP: true })
strict.tlds(['example', 'onion'], true)

const judges = [
  (text) => linkify.find(text).map((found) => found.value),
  (text) => (strict.match(text) ?? []).map((found) => found.raw),
  (text) => Autolinker.parse(text, { urls: true, email: true, phone: true }).map((found) => found.getMatchedText()),
]
const texts = JSON.parse(readFileSync(0, 'utf-8'))
process.stdout.write(JSON.stringify(texts.map((text) => judges.flatMap((judge) => judge(text)))))
