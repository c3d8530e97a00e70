import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import { test } from "node:test";
import { open } from "./listening.js";
import { team, until, world } from "./world.js";

const HANDSHAKE_MS = 500; // longer than it takes to post a message

/** One address for requests and sockets, as in production; sockets take their time. */
async function front(): Promise<string> {
  const server = http.createServer((near, answer) => {
    const { pathname, search } = new URL(near.url ?? "", world.url);
    const far = http.request(
      world.url + pathname + search,
      { method: near.method, headers: near.headers },
      (response) => {
        answer.writeHead(response.statusCode ?? 500, response.headers);
        response.pipe(answer);
      },
    );
    far.on("error", () => answer.destroy());
    near.pipe(far);
  });
  server.on("upgrade", ({ url, rawHeaders }: http.IncomingMessage, near: net.Socket) => {
    const { hostname, port } = new URL(world.sockets);
    const far = net.connect(Number(port), hostname);
    const lines = rawHeaders.map((text, index) => (index % 2 ? `${text}\r\n` : `${text}: `));
    setTimeout(() => far.write(`GET ${url} HTTP/1.1\r\n${lines.join("")}\r\n`), HANDSHAKE_MS);
    for (const [one, other] of [[near, far] as const, [far, near] as const]) {
      one.on("error", () => {}).on("close", () => other.destroy());
      one.pipe(other);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push(server);
  return `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

test("the README's example asks for the code, greets, shows its own message, and ends by Ctrl-C", async () => {
  const { email } = team("hello").ada;
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const example = /`hello\.js`:\n\n```js\n([\s\S]+?)```/.exec(readme)?.[1] ?? "";
  const place = new URL("hello.js", import.meta.url);
  const ours = example.replace("http://127.0.0.1:8000", await front()).replaceAll("student@example.org", email);
  assert.ok(ours.includes(email));
  await writeFile(place, ours);
  const program = spawn(process.execPath, [place.pathname], { stdio: ["pipe", "pipe", "inherit"] });
  open.push({ close: () => program.kill("SIGKILL") });
  let said = "";
  program.stdout.setEncoding("utf8").on("data", (text) => {
    said += text;
  });

  await until(() => said.includes("Code: "), "asked for a code");
  const code: string = await (await fetch(`${world.desk}/code?to=${encodeURIComponent(email)}`)).json();
  program.stdin.write(`${code}\n`);
  await until(() => said.includes("message.created"), "shown");
  program.kill("SIGINT");
  const [status] = await once(program, "exit");

  assert.equal(status, 0);
  assert.match(said, /Hello, Ada/);
  assert.match(said, /text: 'Hello from my own program'/);
});
