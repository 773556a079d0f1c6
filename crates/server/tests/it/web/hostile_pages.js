// What must not be on a page, and where the page leads.
const faults = [];
const say = (what, e) => faults.push(`${what}: ${(e.outerHTML ?? String(e)).slice(0, 200)}`);
if (window.hacked !== undefined) faults.push("something ran");
for (const e of document.querySelectorAll("*")) {
  for (const { name, value } of e.attributes) {
    if (/^on/.test(name)) say(`attribute ${name}`, e);
    const leads = ["href", "src", "action", "formaction", "srcdoc", "data"].includes(name);
    if (leads && !/^(https?:)?$/.test(/^\s*([a-z+.-]+:)?/i.exec(value)[1] ?? "")) say(`leads to ${value.slice(0, 40)}`, e);
  }
  if (["IFRAME", "OBJECT", "EMBED", "BASE", "FRAME", "STYLE"].includes(e.tagName)) say("element", e);
  if (["SCRIPT", "IMG", "LINK"].includes(e.tagName)
    && new URL(e.src ?? e.href, location.href).origin !== location.origin) say("outside", e);
  if (e.tagName === "SCRIPT" && e.text.trim()) say("script", e);
}
// Marks of writing direction, and control characters.
const harmful = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u0000-\u0008\u000b\u000e-\u001f\u007f-\u009f]/;
const values = [...document.querySelectorAll("input, textarea")].map((e) => e.value);
for (const text of [document.documentElement.outerHTML, ...values]) {
  const at = text.search(harmful);
  if (at < 0) continue;
  say(`U+${text.codePointAt(at).toString(16).padStart(4, "0")} in`, text.slice(Math.max(0, at - 60), at + 5));
}
const ask = (form) => {
  const url = new URL(form.action);
  url.search = new URLSearchParams([...form.elements].filter((e) => e.name).map((e) => [e.name, e.value]));
  return url;
};
const all = [...document.forms];
const queries = [
  ...[...document.links].map((link) => new URL(link.href)),
  ...all.filter((form) => form.method === "get").map(ask),
].filter((url) => url.origin === location.origin && url.search).map((url) => url.pathname + url.search);
const forms = all.filter((form) => form.method === "post").map((form) =>
  `${new URL(form.action).pathname} ${[...new Set([...form.elements].map((e) => e.name))].join(" ")}`);
return { faults, queries, forms };
