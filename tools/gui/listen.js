// Runs before the scripts of a page: remembers which elements listen to the pointer, because pages
// make buttons of anything and say so nowhere else.
(() => {
  const key = Symbol.for("corvid.listening");
  if (window[key]) return;
  const listening = new WeakSet();
  Object.defineProperty(window, key, { value: listening });
  const kinds = new Set(["click", "dblclick", "mousedown", "pointerdown", "touchstart", "dragstart"]);
  const add = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (kind, ...rest) {
    if (kinds.has(kind) && this instanceof Element) listening.add(this);
    return add.call(this, kind, ...rest);
  };
})()
