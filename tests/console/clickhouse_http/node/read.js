// Reads as a Node service would: the address, the user and whether to compress come as arguments; prints one JSON document.
import { createClient } from "@clickhouse/client";

const [url, compressed] = process.argv.slice(2);
const client = createClient({ url, username: "default", compression: { response: compressed === "true" } });

const json = await (await client.query({ query: "SELECT number AS n FROM numbers(3)" })).json();
const bound = await (
  await client.query({
    query: "SELECT {text:String} AS text, {list:Array(UInt8)} AS list",
    query_params: { text: "it's", list: [1, 2] },
    format: "JSONEachRow",
  })
).json();
let rows = 0;
const many = await client.query({ query: "SELECT number FROM numbers(200000)", format: "JSONCompactEachRow" });
for await (const block of many.stream()) rows += block.length;
let code = "";
try {
  await client.query({ query: "SELECT nope" });
} catch (error) {
  code = error.code;
}
let refused = "";
try {
  await client.command({ query: "DROP TABLE calls" });
} catch (error) {
  refused = error.code;
}
const alive = (await client.ping()).success;
await client.close();
console.log(JSON.stringify({ json: json.data, bound, rows, code, refused, alive }));
