// Reads mails with two parsers that we did not write, and prints what each found: {"mailparser": [...], "postal-mime": [...]}.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(process.argv[2] + "/");
const { simpleParser } = require("mailparser");
const PostalMime = require("postal-mime").default ?? require("postal-mime");

const mails = JSON.parse(readFileSync(0, "utf-8"));
const found = { mailparser: [], "postal-mime": [] };
for (const mail of mails) {
  const parsed = await simpleParser(mail);
  const { list } = Object.fromEntries(parsed.headers);
  found.mailparser.push({ headers: Object.fromEntries(parsed.headers), list, references: parsed.references, subject: parsed.subject });
  const post = await PostalMime.parse(mail);
  found["postal-mime"].push({ headers: Object.fromEntries(post.headers.map(({ key, value }) => [key, value])), references: post.references });
}
console.log(JSON.stringify(found));
