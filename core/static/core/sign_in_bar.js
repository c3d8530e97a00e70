/* Signs a demo person in by a mailed code, with the public endpoints alone, and hands the access token to Swagger.
   Runs before Swagger's own script, which takes its time: `ui` is Swagger's, once it is there. */
"use strict";
(() => {
  const KEPT = "docs.session";
  const EXAMPLE = { method: "get", path: "/api/users/me/" };
  const WINDOW = "the window where “make run” runs";
  const OVER = new Set([400, 401]); // what a refresh token that is no longer good is answered
  const at = (id) => document.getElementById(id);
  const [bar, person, address, code, told] = ["sign-in-bar", "person", "address", "code", "told"].map(at);
  let asked = "";
  let session = JSON.parse(sessionStorage.getItem(KEPT));
  let renewing = false;

  function say(text, isTrouble = false) {
    told.replaceChildren(Object.assign(document.createElement("span"), { textContent: text }));
    told.classList.toggle("trouble", isTrouble);
  }

  /** POST JSON. Resolves to the body; rejects with an Error whose message is for people; `isOver`: see OVER. */
  async function post(path, body) {
    let answer;
    try {
      const headers = { "Content-Type": "application/json" };
      answer = await fetch(`/api/auth/${path}/`, { method: "POST", headers, body: JSON.stringify(body) });
    } catch {
      throw new Error("The server does not answer. Is “make run” still running?");
    }
    if (answer.status === 204) return {};
    const answered = await answer.json().catch(() => ({}));
    if (answer.ok) return answered;
    const seconds = answer.headers.get("Retry-After");
    const wait = answer.status === 429 && seconds ? ` Try again in ${seconds} seconds.` : "";
    const words = `${answered.error || `The server answered ${answer.status}.`}${wait}`;
    throw Object.assign(new Error(words), { isOver: OVER.has(answer.status) });
  }

  /** The security scheme of the document that takes a bearer token: [name, scheme], once Swagger has read it. */
  async function scheme() {
    for (;;) {
      const schemes = typeof ui !== "undefined" && ui.specSelectors.specJson().getIn(["components", "securitySchemes"]);
      const found = schemes && Object.entries(schemes.toJS()).find(([, one]) => one.scheme === "bearer");
      if (found) return found;
      await pause();
    }
  }

  const pause = () => new Promise((done) => setTimeout(done, 100));

  async function tellSwagger() {
    const [name, definition] = await scheme();
    if (session) ui.authActions.authorize({ [name]: { name, schema: definition, value: session.token } });
    else ui.authActions.logoutWithPersistOption([name]);
  }

  /** Keep a session for this tab alone, or forget it; show what goes with it. */
  async function keep(next) {
    session = next;
    if (session) sessionStorage.setItem(KEPT, JSON.stringify(session));
    else sessionStorage.removeItem(KEPT);
    show();
    await tellSwagger();
  }

  function show() {
    bar.classList.toggle("is-signed-in", Boolean(session));
    at("ask-form").hidden = Boolean(session);
    at("code-form").hidden = Boolean(session) || !asked;
    at("signed-in").hidden = !session;
    at("who").textContent = session ? session.who : "";
    if (session) say(`Signed in as ${session.who}. The padlocks are closed.`);
  }

  /** Do something once at a time, and say what went wrong. A button that were disabled would lose the focus. */
  async function busily(button, work) {
    if (button.ariaDisabled === "true") return;
    button.ariaDisabled = "true";
    try {
      await work();
    } catch (error) {
      say(error.message, true);
    } finally {
      button.ariaDisabled = "false";
    }
  }

  async function sendCode() {
    const wanted = person.value || address.value.trim();
    await post("magic-link", { email: wanted });
    asked = wanted;
    show();
    say(`A code for ${asked} is on its way: look at ${WINDOW}, and type its six digits here.`);
    code.value = "";
    code.focus();
  }

  async function redeem() {
    const typed = code.value.trim();
    code.value = "";
    const { token, refresh_token, user } = await post("verify-otp", { email: asked, code: typed });
    asked = "";
    await keep({ token, refresh_token, who: `${user.name} (${user.role})` });
    at("try").focus();
  }

  async function signOut() {
    const { refresh_token } = session;
    await keep(null);
    say("Signed out.");
    person.focus();
    await post("logout", { refresh_token });
  }

  /** One 401 of a signed-in request: trade the refresh token, once, and say what to do. */
  async function renew() {
    renewing = true;
    say("The access token has run out (401). Asking for a new one …");
    try {
      const { token, refresh_token } = await post("refresh", { refresh_token: session.refresh_token });
      await keep({ ...session, token, refresh_token });
      say(`The access token had run out (401) and was renewed for ${session.who}: press “Execute” again.`);
    } catch (error) {
      if (error.isOver) {
        await keep(null);
        say("The session is over (401). Sign in again.", true);
        person.focus();
      } else {
        say(`The access token has run out (401), and is not renewed. ${error.message}`, true);
      }
    } finally {
      renewing = false;
    }
  }

  /** Look at each answer that Swagger gets. */
  function watch() {
    const judge = ui.getConfigs().responseInterceptor;
    ui.getConfigs().responseInterceptor = (answer) => {
      const sent = session && answer.status === 401 && !answer.url.includes("/api/auth/");
      if (sent && !renewing) renew();
      return judge(answer);
    };
  }

  async function showExample() {
    await scheme();
    const found = ui.specSelectors.operations().find(
      (one) => one.get("path") === EXAMPLE.path && one.get("method") === EXAMPLE.method);
    const [tag, id] = [found.getIn(["operation", "tags", 0]), found.getIn(["operation", "operationId"])];
    ui.layoutActions.show(["operations-tag", tag], true);
    ui.layoutActions.show(["operations", tag, id], true);
    const block = await drawn(`[id$="-${CSS.escape(id)}"]`, `[data-tag="${CSS.escape(tag)}"]`);
    block.scrollIntoView({ block: "start" });
    block.querySelector("button").focus({ preventScroll: true });
    say("Opened below: press “Try it out”, then “Execute”.");
  }

  /** Swagger draws what is far below when it comes near. */
  async function drawn(selector, near) {
    for (let turn = 0; turn < 100; turn += 1) {
      const block = document.querySelector(`.opblock${selector}`);
      if (block) return block;
      document.querySelector(near)?.scrollIntoView({ block: "start" });
      await pause();
    }
    throw new Error("Swagger does not show the operation: look for it under “My account”.");
  }

  person.addEventListener("change", () => {
    const isTyped = !person.value;
    at("address-field").hidden = !isTyped;
    address.required = isTyped;
  });
  const forms = { "ask-form": sendCode, "code-form": redeem };
  for (const [id, work] of Object.entries(forms)) {
    at(id).addEventListener("submit", (event) => {
      event.preventDefault();
      busily(event.submitter || at(id).querySelector("button"), work);
    });
  }
  for (const [id, work] of Object.entries({ try: showExample, "sign-out": signOut })) {
    at(id).addEventListener("click", (event) => busily(event.currentTarget, work));
  }
  addEventListener("DOMContentLoaded", watch);
  at("send").disabled = false;
  if (session) keep(session);
})();
