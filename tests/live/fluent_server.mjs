// A collector of the forward protocol, written by others: FluentServer of @fluent-org/logger.
//
//   node fluent_server.mjs <node_modules> [port]
//
// Prints one JSON object per line: {"port": n} when it listens, then {"tag", "time", "record"} per entry.
// Ends when its standard input does.

import { createRequire } from "node:module";
import { join } from "node:path";

const [modules, port] = process.argv.slice(2);
const require = createRequire(join(modules, "noop.js"));
const { FluentServer, EventTime } = require("@fluent-org/logger");

const say = (value) =>
  process.stdout.write(
    JSON.stringify(value, (_, item) => (typeof item === "bigint" ? item.toString() : item)) + "\n",
  );

const server = new FluentServer({
  listenOptions: { host: "127.0.0.1", port: Number(port ?? 0) },
});
server.on("entry", (tag, time, record) => {
  const event = time instanceof EventTime ? { seconds: time.epoch, nanoseconds: time.nano } : { seconds: time };
  say({ tag, time: event, record });
});
await server.listen();
say({ port: server.port });

process.stdin.resume();
// Not before everything printed is written: exit drops what waits for a full pipe.
process.stdin.on("end", () => process.stdout.write("", () => process.exit(0)));
