// By what an element may be found again, best first; Python tries each before it is written down.
// --- clues --------------------------------------------------------------------------------------
const TEST_IDS = ["data-testid"];
const PLAIN = new Set([...ACTING, ...TELLING, "img"]);  // roles that playwright knows by the same name
const MADE = /\d{2}|^:|:$/;  // an id that a program made up: another one tomorrow
const quoted = text => JSON.stringify(text);
const path = el => {  // the last resort: the way down from the nearest id
  const way = [];
  for (let node = el; node?.nodeType === 1 && node !== document.body; node = node.parentNode) {
    if (node.id && way.length) { way.unshift("#" + CSS.escape(node.id)); break; }
    const twins = [...(node.parentNode?.children || [])].filter(c => c.localName === node.localName);
    way.unshift(node.localName + (twins.length > 1 ? `:nth-of-type(${twins.indexOf(node) + 1})` : ""));
  }
  return way.join(" > ");
};
const clues = what => {
  const el = typeof what === "number" ? find(what) : what;
  if (!el) return null;
  const role = roleOf(el), out = [], name = named(el, role);
  const add = (by, value, more = "") => { if (value) out.push([by, value, more]); };
  const fits = text => text && squeeze(text).length < LONG ? squeeze(text) : "";
  if (role === "iframe") {
    for (const key of ["title", "name", "aria-label"])
      if (el.getAttribute(key)) add("css", `iframe[${key}=${quoted(el.getAttribute(key))}]`);
  } else {
    if (PLAIN.has(role) && fits(name)) add("role", role, fits(name));
    for (const label of el.labels || []) add("label", fits(words(label)));
    add("label", fits(el.getAttribute("aria-label")));
    add("placeholder", fits(el.getAttribute("placeholder")));
    if (!WRITES.has(role)) add("text", fits(words(el)));
    add("title", fits(el.getAttribute("title")));
  }
  for (const key of TEST_IDS) add("test_id", el.getAttribute(key) || "");
  if (el.id && !MADE.test(el.id)) add("css", "#" + CSS.escape(el.id));
  if (role !== "iframe" && el.getAttribute("name")) add("css", `${el.localName}[name=${quoted(el.getAttribute("name"))}]`);
  add("path", path(el));
  return { role: role || el.localName, name, found: out };
};
// What an element holds, as a test would read it.
const held = n => {
  const el = find(n);
  if (!el) return null;
  return {
    value: heldBy(el),
    options: el.localName === "select" ? [...el.selectedOptions].map(o => squeeze(o.label)) : [],
    input: ["input", "textarea"].includes(el.localName),
  };
};
