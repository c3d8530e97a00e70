// Brings what a page says of a running job up to date, and nothing else: focus, place and what was typed stay.
// #progress is fetched anew from the page's own address while it says so (data-look-again, seconds), and told in
// #progress-said, which screen readers read. When the job is done, what data-with names is brought up to date once.
(() => {
  "use strict";

  const told = () => document.getElementById("progress-said");

  /** Put new children in an element. Whatever had the focus in it has it again, if it is still there. */
  function refill(element, fresh) {
    const held = element.contains(document.activeElement) ? document.activeElement : null;
    element.replaceChildren(...fresh.childNodes);
    if (!held) return;
    const same = [...element.querySelectorAll(held.tagName)].find(
      (one) => one.textContent === held.textContent && one.getAttribute("href") === held.getAttribute("href"));
    same?.focus({ preventScroll: true });
  }

  async function look() {
    const here = document.getElementById("progress");
    if (document.hidden) return wait(here);
    let answer;
    try {
      answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    } catch {
      return wait(here); // no network for a while
    }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = fresh.getElementById("progress");
    if (!answer.ok || answer.redirected || !next) {
      told().textContent = "This page does not look again any more: load it anew.";
      told().classList.remove("sr-only");
      return undefined;
    }
    const words = next.dataset.says;
    const isNew = words !== here.dataset.says;
    const { lookAgain } = next.dataset;
    const others = here.dataset.with;
    for (const name of ["lookAgain", "says"]) {
      if (next.dataset[name] === undefined) delete here.dataset[name];
      else here.dataset[name] = next.dataset[name];
    }
    if (isNew || !lookAgain) refill(here, next);
    if (isNew) told().textContent = words;
    if (lookAgain) return wait(here);
    if (!others) return undefined;
    document.querySelectorAll(others).forEach((element, place) => {
      const its = fresh.querySelectorAll(others)[place];
      if (its) refill(element, its);
    });
    return undefined;
  }

  function wait(part) {
    const seconds = Number(part?.dataset.lookAgain);
    if (seconds) setTimeout(look, seconds * 1000);
  }

  document.addEventListener("DOMContentLoaded", () => wait(document.getElementById("progress")));
})();
