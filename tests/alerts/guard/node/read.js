// Read a guard through OpenFeature, as any service of Node's would: one line of JSON now, and one with each change.
const { OpenFeature, ProviderEvents } = require("@openfeature/server-sdk");
const { FlagdProvider } = require("@openfeature/flagd-provider");

const [port, key] = process.argv.slice(2);

async function main() {
  await OpenFeature.setProviderAndWait(
    new FlagdProvider({ host: "127.0.0.1", port: Number(port), resolverType: "in-process", deadlineMs: 10000 }),
  );
  const client = OpenFeature.getClient();
  const say = async () => {
    const found = await client.getStringDetails(key, "default");
    console.log(JSON.stringify({ value: found.value, variant: found.variant, reason: found.reason, cause: found.flagMetadata.cause }));
  };
  client.addHandler(ProviderEvents.ConfigurationChanged, say);
  await say();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
